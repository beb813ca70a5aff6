"""Programs that call Laurel, to begin one's own from."""
