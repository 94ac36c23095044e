"""Webhooks out: what happened, told to the host product by signed messages (R-12, A-7)."""
