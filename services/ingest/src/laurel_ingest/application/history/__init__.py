"""Runs that ingest what GitHub has."""
