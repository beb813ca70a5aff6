"""Sends raw events to ingest and adds up what became of them."""
