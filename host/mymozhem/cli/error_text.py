"""What the platform objects to, said to whoever typed a command."""

from mymozhem.errors import MymozhemError


def sentence(error: MymozhemError) -> str:
    """Return an error's sentence, with a line for each field that breaks its rule."""
    fields = error.details.get("fields")
    if not isinstance(fields, dict):
        return error.message
    problems = (f"  {path}: {' '.join(each)}" for path, each in fields.items())
    return "\n".join([error.message, *problems])
