"""Counts, metrics and intervals."""
