"""Finds lapses: checks authorizations when due, refreshes them ahead of their end, and writes down what it found."""
