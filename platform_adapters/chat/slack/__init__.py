"""Slack: Web API, slash commands and buttons by Socket Mode or signed HTTP, Sign in with Slack."""
