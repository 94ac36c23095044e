"""Email, for those who cannot be reached in chat."""
