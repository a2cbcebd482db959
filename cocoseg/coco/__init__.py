"""Reading, checking and rasterising annotation files; the generated sample."""
