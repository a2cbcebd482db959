"""Where the annotation limits the score."""
