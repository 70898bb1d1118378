"""The parts of the page about the hook contract, and of the two indexes, that follow from code."""

from collections.abc import Mapping
from functools import partial

from mymozhem.contract import CONTRACT_VERSION, Strategy
from mymozhem.contract.hooks import SILENT_CAPABILITIES
from mymozhem.dispatch.outcome import FailureKind
from tests.docs.contract_shapes import CONTRACT, closed_lists, shape_sections, table
from tests.docs.hook_pages import effects_table, hooks_table
from tests.docs.limits import COMMON, EFFECT_LIMITS, limits_table
from tests.docs.marked import Parts
from tests.docs.schema_tables import members

TITLE = f"# The hook contract, version {CONTRACT_VERSION}"


def contract_parts() -> Mapping[str, Parts]:
    """Return the parts of the page about the contract and of the indexes, by the page."""
    return {
        CONTRACT: {
            "hooks": partial(hooks_table, "hooks/"),
            "effects": partial(effects_table, "effects/"),
            "context": partial(table, "Context", CONTRACT),
            "refusal": partial(table, "Refusal", CONTRACT),
            "strategies": _strategies,
            "failures": _failures,
            "limits": partial(limits_table, COMMON),
            "shapes": partial(shape_sections, CONTRACT, 3),
            "lists": closed_lists,
        },
        "hooks/README.md": {"hooks": partial(hooks_table, ""), "silent": _silent},
        "effects/README.md": {
            "effects": partial(effects_table, ""),
            "limits": partial(limits_table, EFFECT_LIMITS["fulfill"]),
        },
    }


def _silent() -> str:
    names = ", ".join(f"`{name}`" for name in sorted(SILENT_CAPABILITIES))
    return f"The capabilities {names} are accepted and call nothing."


def _strategies() -> str:
    lines = ["| strategy | what happens |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{value}` | {said} |" for value, said in members(Strategy))])


def _failures() -> str:
    lines = ["| code | means |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{value}` | {said} |" for value, said in members(FailureKind))])
