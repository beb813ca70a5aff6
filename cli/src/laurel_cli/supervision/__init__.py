"""Keeps processes running: started, restarted when they die, stopped in order, never orphaned."""
