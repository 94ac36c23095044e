"""The Discord adapter. `adapter.build` makes it; README.md says how to connect a real server."""
