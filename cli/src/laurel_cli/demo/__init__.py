"""The demo: an organization that never was, told event by event, and the walk through Laurel."""
