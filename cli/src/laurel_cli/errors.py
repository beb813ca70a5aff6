"""What ends a command: a line for its user, and an exit code."""

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_NOT_FOUND = 3
EXIT_REFUSED = 4
EXIT_UNAVAILABLE = 5
EXIT_INTERRUPTED = 130


class CommandError(Exception):
    """Its text is what the user is told; `exit_code` is what the process ends with."""

    exit_code = EXIT_FAILURE


class UsageError(CommandError):
    """What was typed makes no sense."""

    exit_code = EXIT_USAGE


class RefusedError(CommandError):
    """There is nothing to prove with who is calling."""

    exit_code = EXIT_REFUSED


class NotKnownError(CommandError):
    """What was typed names nothing that is known."""

    exit_code = EXIT_NOT_FOUND
