"""Formats a refusal of the platform for the terminal."""

from mymozhem.errors import MymozhemError


def sentence(error: MymozhemError) -> str:
    """Return an error's message, with a line for each invalid field."""
    fields = error.details.get("fields")
    if not isinstance(fields, dict):
        return error.message
    problems = (f"  {path}: {' '.join(each)}" for path, each in fields.items())
    return "\n".join([error.message, *problems])
