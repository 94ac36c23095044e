"""How lapsebot talks to the outside: one folder for each chat platform, one file for each network."""
