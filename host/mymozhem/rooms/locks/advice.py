"""What an operator may do for rooms that nothing answers for, in plain sentences."""

from mymozhem.contract import JsonObject


def requirement_of(target: JsonObject) -> str | None:
    """Return what to install for the target of a lock, as pip reads it; None for web services."""
    distribution, version = target.get("distribution"), target.get("version")
    if target.get("kind") not in {"inprocess", "isolated"} or not (distribution and version):
        return None
    return f"{distribution}=={version}"


def bring_back(app_id: str, target: JsonObject, *, enabled: bool) -> str:
    """Return what to do so that what a lock names answers again."""
    requirement = requirement_of(target)
    if requirement is None:
        return (
            f"It was a web service at {target.get('baseUrl')} that was deleted here, or whose keys "
            "cannot be opened; its rooms go on by its fallbacks until they end."
        )
    if not enabled:
        return f"Type `mymozhem apps enable {app_id}` and start the host again."
    return (
        f"Type `mymozhem apps install '{requirement}' --isolated`, or have the organizers move "
        "their rooms to another version."
    )
