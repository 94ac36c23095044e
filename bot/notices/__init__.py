"""Decides who is told what: audience, grouping, wording. Knows neither the store's engine nor any platform."""
