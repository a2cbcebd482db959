"""Baselines, networks and their training."""
