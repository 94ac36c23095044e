"""The parts of the first schema, by subject."""
