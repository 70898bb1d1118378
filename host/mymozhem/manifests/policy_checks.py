"""Check the policies of a manifest: strategies against the contract's table, and literals."""

from collections.abc import Iterator, Mapping
from itertools import islice

from pydantic import BaseModel, JsonValue, ValidationError

from mymozhem.contract import Hook, Strategy
from mymozhem.contract.canonical_json import canonical_json
from mymozhem.contract.hooks import hooks_of

from .json_pointer import pointer
from .problems import Problem

MAX_REPORTED = 20


def policy_problems(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    """Yield the problems of a manifest's policies.

    A strategy must be allowed for a hook of the capability by that hook's row of the table; hooks
    that do not allow it keep their own. A literal must be a valid result of its hook.
    """
    policies = document.get("policies")
    for capability, policy in policies.items() if isinstance(policies, dict) else ():
        if isinstance(policy, dict) and hooks_of(capability):
            yield from _policy(capability, policy)


def _policy(capability: str, policy: Mapping[str, JsonValue]) -> Iterator[Problem]:
    chosen, place = policy.get("onFailure"), pointer(["policies", capability])
    allowed = {strategy for hook in hooks_of(capability) for strategy in hook.allowed}
    if isinstance(chosen, str) and chosen in set(Strategy) - allowed:
        message = f"{chosen} makes no sense for {capability}"
        hint = f"write one of {', '.join(sorted(allowed))}"
        yield Problem(f"{place}/onFailure", "STRATEGY_NOT_ALLOWED", message, hint)
    if (chosen == Strategy.FALLBACK) is not ("fallback" in policy):
        message = "a literal and the strategy fallback belong together"
        hint = 'write "onFailure": "fallback" and "fallback": …, or neither'
        yield Problem(place, "FALLBACK_ALONE", message, hint)
    elif "fallback" in policy:
        for hook in hooks_of(capability):
            if Strategy.FALLBACK in hook.allowed:
                yield from _literal(hook, policy["fallback"], f"{place}/fallback")


def _literal(hook: Hook[BaseModel, BaseModel], literal: JsonValue, place: str) -> Iterator[Problem]:
    try:
        hook.result.model_validate_json(canonical_json(literal))
    except ValidationError as error:
        for wrong in islice(error.errors(include_url=False, include_input=False), MAX_REPORTED):
            yield Problem(
                place + pointer(wrong["loc"]),
                "FALLBACK_INVALID",
                f"{hook.name} may not return this: {wrong['msg']}",
                f"see contract/{hook.name}.result.schema.json",
            )
