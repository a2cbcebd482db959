"""How the sample is generated: drawn, staged, painted and annotated."""
