"""GitHub, as identity speaks with it."""
