"""The command `duban`. A command's own module is loaded when it is called: `duban lint` answers before the rest would
have been read."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import click

_MODULES = {
    **dict.fromkeys(("serve", "scheduler", "init", "password", "check", "verify", "demo"), "webapp.commands"),
    **dict.fromkeys(("backup", "restore"), "webapp.keeping"),
    "lint": "webapp.linting",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _MODULES.get(cmd_name)
        return cast(click.Command, getattr(import_module(module), cmd_name)) if module else None


@click.group(cls=_Commands, help="Duban 督办台账")
def main() -> None:
    """The group every command of the distribution hangs on."""


if __name__ == "__main__":
    main()
