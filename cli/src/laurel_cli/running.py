"""Runs a command's work and turns what can go wrong into one line and an exit code."""

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from typing import Any, TextIO, TypeVar

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console

from laurel_cli.display.errors import error_line, exit_code
from laurel_cli.display.text import clean
from laurel_cli.errors import EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_USAGE, CommandError
from laurel_common.config import ConfigError
from laurel_common.errors import LaurelError

T = TypeVar("T")

# Where nobody looks at a terminal (a pipe, a log), lines may be as long as tables want them.
_PIPE_WIDTH = 160


def _console(stream: TextIO, *, stderr: bool) -> Console:
    fixed = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(highlight=False, stderr=stderr, width=fixed)


console = _console(sys.stdout, stderr=False)
# Progress and remarks: what is printed on stdout is the result alone.
remarks = _console(sys.stderr, stderr=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` in an event loop; ends the process with a line on stderr where it fails."""
    try:
        return asyncio.run(work)
    except CommandError as error:
        text, code = str(error), error.exit_code
    except ConfigError as error:
        text, code = "; ".join(error.problems), EXIT_USAGE
    except LaurelError as error:
        text, code = error_line(error), exit_code(error)
    except OSError as error:
        text, code = str(error), EXIT_FAILURE
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    lines = [clean(line) for line in text.strip().splitlines()]
    sys.stderr.write("laurel: " + "\n".join(lines) + "\n")
    raise typer.Exit(code)


def remark(text: str) -> None:
    """A line on stderr."""
    remarks.print(text, markup=False, soft_wrap=True)


def print_json(*messages: Message) -> None:
    """Each message as one line of JSON, as the services' JSON mapping has it."""
    for message in messages:
        fields = MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        sys.stdout.write(json.dumps(fields, ensure_ascii=True) + "\n")
