"""What can go wrong with an embedded server."""


class EmbeddedServerError(Exception):
    """An embedded server can't be used; the text says why and what to do."""


class AlreadyRunning(EmbeddedServerError):
    """Another process runs a server on this directory."""


class StartFailed(EmbeddedServerError):
    """The server did not come up; the text ends with the tail of its log."""
