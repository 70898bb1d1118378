"""Advice for operators about rooms that nothing serves."""

from mymozhem.contract import JsonObject


def requirement_of(target: JsonObject) -> str | None:
    """Return the pip requirement of a lock's target; None for web services."""
    distribution, version = target.get("distribution"), target.get("version")
    if target.get("kind") not in {"inprocess", "isolated"} or not (distribution and version):
        return None
    return f"{distribution}=={version}"


def bring_back(app_id: str, target: JsonObject, *, enabled: bool) -> str:
    """Return how to make a lock's target available again."""
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
