"""Doubles and harnesses for tests; nothing that runs in production imports this package."""
