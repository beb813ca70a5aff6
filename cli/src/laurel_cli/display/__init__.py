"""What the command prints: pure functions from answers to tables and lines."""
