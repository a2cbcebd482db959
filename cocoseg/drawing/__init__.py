"""The one look of all charts and pictures."""
