"""The API of the host product, under /api/v1: JSON, a key of an organization, no cookies."""
