"""One network per file: its addresses, its words, its errors. The file's name is the network's slug."""
