"""The command `mymozhem app new`."""

from pathlib import Path

import click


@click.command("new")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder in which the project's folder is created. Default: the current one.",
)
@click.option(
    "--remote",
    type=click.Choice(["python", "typescript"]),
    help="Create a web service in this language instead of a plugin; it needs no package of ours.",
)
def new_command(name: str, into: Path, remote: str | None) -> None:
    """Create the project of a new app: code, tests and README.

    NAME is the app's id: lower-case letters, digits and dashes. The project is a folder of that
    name, which must not exist yet. The new app works, and passes `mymozhem app check` unchanged.

    \b
    Examples:
      mymozhem app new auction
      mymozhem app new show-of-hands --into ~/apps
      mymozhem app new auction --remote typescript
    """
    from mymozhem.devtools.project_names import Names
    from mymozhem.devtools.scaffold import Language, write_project

    names = Names.of(name)
    folder = into / name
    for path in write_project(names, folder, remote=Language(remote) if remote else None):
        click.echo(f"  {path}")
    if remote is not None:
        click.echo(f"\n{names.title} is an app now. {folder / 'README.md'} says how to start it.")
        return
    click.echo(
        f"\n{names.title} is an app now. Go on with:\n"
        f'  pip install -e "{folder}[test]"\n'
        f"  mymozhem app check {folder}\n"
        f"  mymozhem app dev {folder}"
    )
