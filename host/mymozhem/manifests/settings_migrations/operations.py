"""How each step changes a draft."""

from collections.abc import Callable, Mapping

from pydantic import JsonValue

from .draft import Draft, Place
from .steps import Copy, Default, Map, Move, Remove, Rename, Set, Step, names_of, through_last_each


def apply_step(step: Step, draft: Draft) -> None:
    """Change a draft as a step says; `Unfit` if that is impossible."""
    match step:
        case Rename():
            _rename(step, draft)
        case Move():
            _carry(step, draft, draft.take)
        case Copy():
            _carry(step, draft, draft.copy)
        case Set():
            _set(step, draft)
        case Default():
            _default(step, draft)
        case Remove():
            _remove(step, draft)
        case Map():
            _map(step, draft)


def _rename(step: Rename, draft: Draft) -> None:
    for place in draft.places(names_of(step.path)):
        value = draft.take(place)
        draft.put((*place[:-1], step.to), value)


def _set(step: Set, draft: Draft) -> None:
    for place in draft.targets(names_of(step.path)):
        draft.put(place, step.value)


def _default(step: Default, draft: Draft) -> None:
    for place in draft.targets(names_of(step.path)):
        if not draft.has(place):
            draft.put(place, step.value)


def _remove(step: Remove, draft: Draft) -> None:
    for place in reversed(draft.places(names_of(step.path))):
        draft.remove(place)


def _map(step: Map, draft: Draft) -> None:
    known = {exactly(each.source): each.to for each in step.values}
    for place in draft.places(names_of(step.path)):
        key = exactly(draft.get(place))
        if key in known:
            draft.put(place, known[key])
        elif step.has_otherwise:
            draft.put(place, step.otherwise)


def exactly(value: JsonValue) -> object:
    """Return a key that is equal only for equal JSON values: 1 equals 1.0, and true is not 1."""
    if isinstance(value, list):
        return ("list", tuple(map(exactly, value)))
    if isinstance(value, Mapping):
        return ("object", frozenset((name, exactly(item)) for name, item in value.items()))
    return (isinstance(value, bool), value)


def _carry(step: Move | Copy, draft: Draft, pick: Callable[[Place], JsonValue]) -> None:
    source, target = names_of(step.source), names_of(step.path)
    shared = through_last_each(source)
    for place in draft.places(shared):
        start = (*place, *source[len(shared) :])
        if draft.has(start):
            ends = draft.targets(target[len(shared) :], below=place)
            value = pick(start)
            for end in ends:
                draft.put(end, value)
