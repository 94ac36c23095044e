"""Ad and social networks: one file for each, found by its file."""
