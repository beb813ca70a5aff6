"""A whole Laurel on this machine: its files, keys, servers and four services."""
