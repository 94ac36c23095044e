"""Local stand-ins for Slack, Discord and the networks, and the page that shows them; never loaded by `serve`."""
