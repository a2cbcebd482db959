"""How masks are made."""
