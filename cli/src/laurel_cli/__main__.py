"""The `laurel` command: each subcommand's module is imported when it is asked for."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

import laurel_common.loading  # noqa: F401 - before what takes long to load
from laurel_cli.options import NEGATIVE_ARGUMENTS

# The command, the module below laurel_cli.commands, and whether its arguments may be negative.
_COMMANDS = {
    "demo": ("demo", False),
    "up": ("up", False),
    "status": ("status", False),
    "import": ("imports", False),
    "ingest": ("ingest", False),
    "coverage": ("coverage", True),
    "deliveries": ("deliveries", False),
    "score": ("score", True),
    "board": ("board", True),
    "explain": ("explain", True),
    "preview": ("preview", True),
    "export": ("export", True),
    "claim": ("claim", True),
    "token": ("token", False),
    "keys": ("keys", False),
    "certs": ("certs", False),
    "migrate": ("migrate", False),
}


class _Commands(TyperGroup):
    """Finds commands by name; `laurel status` is asked every few seconds, and has to be quick."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the base's signature
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the base's signature
        if cmd_name not in _COMMANDS:
            return None
        module_name, negative = _COMMANDS[cmd_name]
        module = import_module(f"laurel_cli.commands.{module_name}")
        found = getattr(module, "app", None)
        if found is None:
            found = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            settings = NEGATIVE_ARGUMENTS if negative else {}
            found.command(cmd_name, context_settings=settings)(getattr(module, module_name))
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Commands,
    help="Ranked, explainable leaderboards from GitHub activity.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def laurel() -> None:
    """Ranked, explainable leaderboards from GitHub activity."""


if __name__ == "__main__":
    app()
