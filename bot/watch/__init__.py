"""Finds lapses: checks authorizations when they are due, refreshes them ahead of their end, and writes down what it found."""
