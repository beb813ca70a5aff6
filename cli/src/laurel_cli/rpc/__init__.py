"""Calls to the four services: where they are, who calls, how an answer that is an error reads."""
