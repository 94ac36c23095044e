"""What commands and buttons do: one family per file. Nothing here posts, edits, or calls a network."""
