"""Chat platforms: one folder for each, found by its folder."""
