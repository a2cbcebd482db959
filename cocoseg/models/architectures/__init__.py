"""One file for each architecture; its name on the command line is the file's, with hyphens."""
