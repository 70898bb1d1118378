"""JSON Schemas as tables that people read: the names of fields, what they hold, their defaults."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any

Link = Callable[[str], str]


def fields_table(
    schema: dict[str, Any], link: Link, meanings: Mapping[str, str] | None = None
) -> str:
    """Return the fields of an object as a table, with what they mean; a sentence if it has none."""
    properties = schema.get("properties", {})
    if not properties:
        return "No fields."
    required = set(schema.get("required", ()))
    columns = ["field", "holds", "default", *(["meaning"] if meanings else [])]
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    for name, each in properties.items():
        default = "required" if name in required else _default(each)
        row = [f"`{name}`", holds(each, link), default]
        if meanings:
            since = each.get("x-since")
            row.append(meanings[name] + (f" (since {since})" if since else ""))
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def holds(schema: Any, link: Link) -> str:  # noqa: C901, PLR0911 - one line for each kind
    """Say in words what values a schema accepts."""
    match schema:
        case {"$ref": ref}:
            return link(ref.rsplit("/", 1)[1])
        case {"discriminator": {"propertyName": "effect"}}:
            return link("Effect")
        case {"anyOf": parts} | {"oneOf": parts}:
            said = list(dict.fromkeys(holds(part, link) for part in parts))
            return (", or " if said[0].startswith("list of") else " or ").join(said)
        case {"const": value}:
            return f"`{_json(value)}`"
        case {"enum": values}:
            return " or ".join(f"`{_json(value)}`" for value in values)
        case {"type": "array", "items": items, **more}:
            return f"list of {holds(items, link)}{_bounds(more, 'Items')}"
        case {"type": "string", "format": "date-time"}:
            return "moment"
        case {"type": "string", **more}:
            pattern = f" matching `{more['pattern']}`" if "pattern" in more else ""
            return f"text{_bounds(more, 'Length')}{pattern}".replace("|", "\\|")
        case {"type": "integer", **more}:
            return f"integer{_range(more)}"
        case {"type": "null"}:
            return "null"
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "object"}:
            return "object"
    return "any JSON"


def docstring(thing: type) -> str:
    """Return a docstring as a paragraph of Markdown."""
    return textwrap.dedent(inspect.cleandoc(thing.__doc__ or ""))


def members(enum: type[Enum]) -> Iterator[tuple[str, str]]:
    """Yield the values of a closed list, each with the line that stands beside it."""
    source = textwrap.dedent(inspect.getsource(enum))
    lines = source.splitlines()
    for node in ast.parse(source).body[0].body:  # type: ignore[attr-defined]  # a class
        if isinstance(node, ast.Assign):
            (name,) = (target.id for target in node.targets if isinstance(target, ast.Name))
            said = re.search(r"#: ?(.*)$", lines[node.lineno - 1])
            yield enum[name].value, said[1] if said else ""


def _default(schema: dict[str, Any]) -> str:
    if "default" not in schema:
        return ""
    return "none" if schema["default"] is None else f"`{_json(schema['default'])}`"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _bounds(schema: dict[str, Any], noun: str) -> str:
    most, least = schema.get(f"max{noun}"), schema.get(f"min{noun}")
    if most is None:
        return ""
    span = f"{least} to {most}" if least else f"at most {most}"
    return f" ({span}{' characters' if noun == 'Length' else ''})"


def _range(schema: dict[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is None and most is None:
        return ""
    return f" from {least:,}" + (f" to {most:,}" if most is not None else " on")
