"""The core: what people can ask, and the words that everybody shares. Imports the standard library only."""
