"""Sends what was planned: lanes, pace, retries, live updates. Decides nothing about who hears what."""
