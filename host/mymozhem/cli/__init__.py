"""The command line: one file per group, loaded when it is called, so that help starts fast."""

from importlib import import_module

import click

from mymozhem.errors import MymozhemError

#: command → where it is, and its line in the help (so that help loads no command)
COMMANDS = {
    "serve": ("serve:serve_command", "Run the platform."),
    "demo": ("demo:demo_command", "Run the platform with demo data, or play a scripted evening."),
    "seed": ("seed:seed_command", "Fill the database with believable demo data."),
    "worker": ("worker:worker_command", "Carry deliveries to apps, without a web server."),
    "check": ("check:check_command", "Check models, migrations, schemas and documents."),
    "db": ("db:db_group", "Bring the database to the newest schema."),
    "apps": ("apps:apps_group", "List, install, enable, disable, register and stop apps."),
    "app": ("app:app_group", "Begin an app, try it, check it, run it as a web service."),
    "manifest": ("manifest:manifest_group", "Check manifests of apps."),
    "rooms": (
        "rooms:rooms_group",
        "Look into rooms, prove their locks, export and replay logs.",
    ),
    "deliveries": ("deliveries:deliveries_group", "See what apps are told, retry dead letters."),
    "alerts": ("alerts:alerts_command", "Show what is wrong with apps, and what to do."),
    "doctor": ("doctor:doctor_command", "Say what an event would suffer from, and what to do."),
    "draw": ("draw:draw_group", "Verify draws, offline."),
    "users": ("users:users_group", "Make accounts for people."),
}


class LazyCommands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what the platform or a setting objects to is said in a sentence."""
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
    """Return which variables break their rules; raise the error again where it is another one."""
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
    """Run the command line; what goes wrong is said in one sentence, with exit status 1 or 2."""
    cli()
