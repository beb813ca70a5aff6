"""GitHub, as ingest reads it."""
