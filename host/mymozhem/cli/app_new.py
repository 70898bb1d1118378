"""The command that begins a new app."""

from pathlib import Path

import click


@click.command("new")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder that the project's own folder is made in; this one when left out.",
)
def new_command(name: str, into: Path) -> None:
    """Write a new app's project: a small app that works, with its tests and its README.

    NAME is the app's id: small letters, digits and dashes. The project is a folder of that name,
    which must not be there yet. It passes `mymozhem app check` as it is; make it yours from there.

    \b
    Examples:
      mymozhem app new auction
      mymozhem app new show-of-hands --into ~/apps
    """
    from mymozhem.devtools.project_names import Names
    from mymozhem.devtools.scaffold import write_project

    names = Names.of(name)
    folder = into / name
    for path in write_project(names, folder):
        click.echo(f"  {path}")
    click.echo(
        f"\n{names.title} is an app now. Go on with:\n"
        f'  pip install -e "{folder}[test]"\n'
        f"  mymozhem app check {folder}\n"
        f"  mymozhem app dev {folder}"
    )
