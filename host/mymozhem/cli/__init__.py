"""The command line: one file per group, imported if it is called, so that help is fast."""

import os
import sys
from importlib import import_module

import click

from mymozhem.errors import MymozhemError

#: command -> its module and attribute, and its line in the help (so help imports no command)
COMMANDS = {
    "serve": ("serve:serve_command", "Run the platform until it is stopped."),
    "demo": ("demo:demo_command", "Run the platform with demo data, or play a scripted event."),
    "seed": ("seed:seed_command", "Fill the database with demo data; idempotent."),
    "worker": ("worker:worker_command", "Send deliveries to apps, without a web server."),
    "check": ("check:check_command", "Check models, migrations, schemas and documents."),
    "db": ("db:db_group", "Show or upgrade the schema of the database."),
    "apps": ("apps:apps_group", "List, install, enable, register and stop apps."),
    "app": ("app:app_group", "Create, try, check and serve an app."),
    "manifest": ("manifest:manifest_group", "Validate and compare manifests of apps."),
    "rooms": ("rooms:rooms_group", "List and show rooms, verify locks, export and replay logs."),
    "deliveries": (
        "deliveries:deliveries_group",
        "List deliveries to apps; retry or delete dead letters.",
    ),
    "alerts": ("alerts:alerts_command", "Show what is wrong with apps, and what to do."),
    "doctor": ("doctor:doctor_command", "Check the installation for problems before an event."),
    "draw": ("draw:draw_group", "Verify draws offline, and see how public values are written."),
    "users": ("users:users_group", "Create, invite, find and deactivate accounts."),
}


class LazyCommands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if missing."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; report a refusal or an invalid setting as one sentence."""
        try:
            return super().invoke(ctx)
        except MymozhemError as error:
            raise click.ClickException(error.message) from error
        except ValueError as error:
            raise click.ClickException(_about_settings(error)) from error

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _about_settings(error: ValueError) -> str:
    """Return which variables are invalid; raise the error again if it has another cause."""
    from pydantic import ValidationError

    from mymozhem.config import Settings

    if not isinstance(error, ValidationError) or error.title != Settings.__name__:
        raise error
    problems = error.errors(include_url=False, include_input=False)
    parts = [
        f"MYMOZHEM_{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in problems
    ]
    return "; ".join(parts)


@click.command(
    "mymozhem", cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="mymozhem", prog_name="mymozhem")
def cli() -> None:
    """Run live events with whatever apps people ship.

    \b
    Examples:
      mymozhem demo                       a platform with demo data, to try
      mymozhem demo --script              a whole event, played and verified
      mymozhem draw verify record.json    was this draw fair?
    """


def main() -> None:
    """Run the command line; report errors as one sentence, with exit status 1 or 2.

    Only the user itself can read the files that a host or a command writes. The commands of
    `mymozhem app` write projects, whose permissions are the author's own choice.
    """
    if sys.argv[1:2] != ["app"]:
        os.umask(0o077)
    cli()
