"""The pages about the command line and the settings, generated from the code.

Run `python -m mymozhem.cli.reference_pages docs/reference` to write both. A test fails if they
differ from the code.
"""

import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import click
from pydantic.fields import FieldInfo

from mymozhem.cli import cli
from mymozhem.config import Settings

WIDTH = 100
#: the help of options that have none of their own
_COMMON = {"form": "Text for people, or JSON for programs.", "status": "Only rooms in this status."}


def cli_page() -> str:
    """Return the page about every command: its help, its options and examples."""
    parts = [
        "# Command line\n",
        "This page lists every command of `mymozhem`. Commands read the same",
        "[settings](settings.md) as the host does. An error is one sentence on standard error. The",
        "exit status is 2 for a command line that is not valid and 1 for a command that failed,",
        "unless a command documents others.\n",
    ]
    context = click.Context(cli, info_name="mymozhem")
    for path, command in _walk(cli, context, ("mymozhem",)):
        parts.append(_command(path, command))
    return "\n".join(parts).rstrip() + "\n"


def settings_page() -> str:
    """Return the page about every setting: its variable, its values, its default."""
    parts = [
        "# Settings\n",
        "The host and the commands read their settings from environment variables, once, at the",
        "start. If a value is not valid, the start fails with an error that names the variable.\n",
        "| variable | values | default | purpose |",
        "| --- | --- | --- | --- |",
    ]
    rows = [_setting(name, field) for name, field in Settings.model_fields.items()]
    return "\n".join([*parts, *rows]) + "\n"


def write_pages(folder: Path) -> None:
    """Write both pages into a folder; idempotent."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cli.md").write_text(cli_page(), encoding="utf-8")
    (folder / "settings.md").write_text(settings_page(), encoding="utf-8")


def _walk(
    command: click.Command, context: click.Context, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _walk(found, context, (*path, name))


def _command(path: tuple[str, ...], command: click.Command) -> str:
    usage = [part for each in command.params for part in _usage(each)]
    lines = [f"## `{' '.join([*path, *usage])}`\n", *_text(command.help or "")]
    rows = [_option(each) for each in command.params if isinstance(each, click.Option)]
    if rows:
        lines += ["| option | what for |", "| --- | --- |", *rows, ""]
    return "\n".join(lines)


def _text(written: str) -> Iterator[str]:
    """Yield a help text as Markdown: paragraphs joined, and verbatim lines as a block."""
    for paragraph in inspect.cleandoc(written).split("\n\n"):
        kept, lines = paragraph.startswith("\b"), paragraph.removeprefix("\b\n").splitlines()
        if kept and lines[0].startswith("Example"):
            yield f"{lines[0]}\n"
            yield f"```text\n{textwrap.dedent(chr(10).join(lines[1:]))}\n```\n"
        else:
            yield (
                textwrap.fill(
                    " ".join(line.strip() for line in lines),
                    WIDTH,
                    break_on_hyphens=False,
                    break_long_words=False,
                )
                + "\n"
            )


def _usage(parameter: click.Parameter) -> Iterator[str]:
    if isinstance(parameter, click.Argument):
        yield parameter.make_metavar(click.Context(cli))
    elif parameter.required:
        yield parameter.opts[0]


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    value = "" if option.is_flag else f" {_kind(option)}"
    default = option.default if isinstance(option.default, str | int) else None
    shown = f" Default: `{default}`." if default and not option.is_flag else ""
    meaning = (option.help or _COMMON.get(option.name or "", "")).replace("|", "\\|")
    return f"| {names}{value} | {meaning}{shown} |"


def _kind(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(f"`{choice}`" for choice in option.type.choices)
    return f"`{option.metavar or (option.name or '').upper()}`"


def _setting(name: str, field: FieldInfo) -> str:
    allowed = ", ".join(_allowed(field)).replace("|", "\\|")
    default = _default(field)
    return f"| `MYMOZHEM_{name.upper()}` | {allowed} | {default} | {field.description} |"


def _allowed(field: FieldInfo) -> Iterator[str]:
    yield _type(field.annotation)
    for rule in field.metadata:
        match rule:
            case annotated_types.Ge(ge=least):
                yield f"at least {least}"
            case annotated_types.Le(le=most):
                yield f"at most {most}"
            case _:
                continue


def _type(annotation: Any) -> str:  # noqa: ANN401 - any annotation at all
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{each}`" for each in get_args(annotation))
    if get_origin(annotation) is tuple:
        named = get_args(annotation)[0] is str
        return "names, comma separated" if named else "such as `10.0.0.0/8`, comma separated"
    inner = [each for each in get_args(annotation) if each is not type(None)]
    if inner and (get_origin(annotation) is Union or type(None) in get_args(annotation)):
        return _type(inner[0])
    names = {bool: "`true` or `false`", int: "a whole number", Path: "a folder"}
    return names.get(annotation, "text")


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "`~/.local/share/mymozhem`, or in `XDG_DATA_HOME`"
    value = field.default
    if value in (None, ()):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
