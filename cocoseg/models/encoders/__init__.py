"""One file for each encoder; its name on the command line is the file's, with hyphens."""
