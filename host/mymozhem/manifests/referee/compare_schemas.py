"""Compare two versions of a schema, keyword by keyword.

The promise: if no change here is major, every value that was valid stays valid, after the host has
completed it by defaults if it does so. Keywords are combined by "and", so each is compared
separately. Keywords that depend on others are compared together with them, and a difference in any
other keyword is major. Payloads of events are compared from their readers' side.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from mymozhem.contract import Level
from mymozhem.manifests.schema_nodes import DRAFT_2020_12, Schema

from .change_codes import Values, change
from .json_values import listed, same, shown
from .keywords import (
    COUNTS_FOR,
    LIMITS,
    NUMERIC,
    Object,
    Verdict,
    allowed,
    flipped,
    kinds,
    limit_verdict,
    type_verdict,
    values_verdict,
)
from .model import Bump, Change, Consenter
from .resolved_schema import PLACES, TEXTS, Whole
from .schema_place import SEEN_BY, Kind, Place, Side, is_looser, words_in

Changes = Iterator[Change]

#: the names of limits in sentences
_LIMIT_NAMES = {
    "minimum": "the smallest number",
    "exclusiveMinimum": "the number to exceed",
    "maximum": "the largest number",
    "exclusiveMaximum": "the number to stay below",
    "multipleOf": "the step between numbers",
    "minLength": "the shortest text",
    "maxLength": "the longest text",
    "minItems": "the fewest entries",
    "maxItems": "the most entries",
    "uniqueItems": "whether entries must differ",
    "minProperties": "the fewest fields",
    "maxProperties": "the most fields",
}
_COMPARED = LIMITS | {
    "$schema",
    "additionalProperties",
    "const",
    "default",
    "enum",
    "items",
    "properties",
    "required",
    "type",
    "x-live",
    "x-visibility",
}
#: keywords that may refuse a value because of defaults filled in
_REACT_TO_DEFAULTS = (
    "$dynamicRef",
    "$ref",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "if",
    "maxProperties",
    "not",
    "oneOf",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
)
_NO_OTHER = "no value is judged otherwise"
_DEPEND_ON_ALL = ("unevaluatedItems", "unevaluatedProperties")


def compare_schemas(old: Schema, new: Schema, place: Place) -> tuple[Change, ...]:
    """Return the differences between two whole schemas at one place of a manifest."""
    return tuple(_Pair(Whole(old), Whole(new)).compare(old, new, place))


@dataclass(frozen=True)
class _Pair:
    """The two whole schemas whose parts are compared."""

    old: Whole
    new: Whole

    @cached_property
    def _refers(self) -> bool:
        """True if parts with the same text may have different meanings."""
        return self.old.refers or self.new.refers

    @cached_property
    def _merges(self) -> bool:
        """True if several parts of a schema together may determine who sees one field."""
        return self.old.merges or self.new.merges

    def compare(self, old: Schema, new: Schema, place: Place) -> Changes:
        """Yield the differences between two parts that describe the same values."""
        if not self._refers and same(old, new):
            return
        if old is False or new is False:
            yield from _nothing_accepted(old, new, place)
            return
        before, after = _as_object(old), _as_object(new)
        changes: list[Change] = []
        for rule in (
            self._uncovered,
            _types,
            _values,
            _limits,
            self._properties,
            self._required,
            self._others,
            self._items,
            _default,
            self._visibility,
            self._live,
            self._reactions,
        ):
            changes += rule(before, after, place)
        yield from changes
        yield from _same_meaning(before, after, place, changes)
        if isinstance(old, bool) is not isinstance(new, bool) and not (before or after):
            yield _same(place.pointer, place)

    # ---------------------------------------------------------------- what is not compared

    def _uncovered(self, old: Object, new: Object, place: Place) -> Changes:
        for word in _words(old, new):
            if word in PLACES or (word in _COMPARED and not _is_list_of_items(word, old, new)):
                continue
            before, after = old.get(word), new.get(word)
            if word in TEXTS:
                if not _same_at(word, old, new):
                    message = f"{place.label}: the text or hint “{word}” changed"
                    yield change("TEXT_CHANGED", place.at(word), message, (before, after))
            elif not self._means_the_same(word, old, new):
                yield self._unknown(word, old, new, place)
            elif not _same_at(word, old, new):
                message = f"{place.label}: a text inside “{word}” changed"
                yield change("TEXT_CHANGED", place.at(word), message, (before, after))
        if not same(_dialect(old), _dialect(new)):
            yield self._unknown("$schema", old, new, place)
        yield from self._dependent(old, new, place)

    def _dependent(self, old: Object, new: Object, place: Place) -> Changes:
        words = [word for word in _DEPEND_ON_ALL if word in new and word in old]
        if words and not same(self.old.meaning(old), self.new.meaning(new)):
            for word in words:
                if self._means_the_same(word, old, new):
                    yield self._unknown(word, old, new, place)

    def _means_the_same(self, word: str, old: Object, new: Object) -> bool:
        before, after = ({word: x[word]} if word in x else {} for x in (old, new))
        return same(self.old.meaning(before), self.new.meaning(after))

    def _unknown(self, word: str, old: Object, new: Object, place: Place) -> Change:
        before, after = old.get(word), new.get(word)
        message = (
            f"{place.label}: “{word}” changed, and whether every valid value "
            "stays valid is not known"
        )
        meanings = [self.old.meaning({word: before}), self.new.meaning({word: after})]
        also = (Consenter.ORGANIZER,) if any(words_in(meanings, "x-visibility")) else ()
        return change("KEYWORD_UNKNOWN", place.at(word), message, (before, after), also=also)

    # ---------------------------------------------------------------- objects

    def _properties(self, old: Object, new: Object, place: Place) -> Changes:
        if not _counts("properties", old, new, place):
            return
        before, after = _map(old, "properties"), _map(new, "properties")
        required = _names(new)
        for name in dict.fromkeys((*after, *before)):
            was, now = before.get(name), after.get(name)
            here = place.property(name, was, now, must=name in required).under(old, new)
            if was is None and now is not None:
                yield from self._added(old, now, here)
            elif now is None and was is not None:
                yield from self._removed(was, new, here)
            elif was is not None and now is not None:
                yield from self.compare(was, now, here)
            if now is not None and place.side is Side.COMPLETED:
                yield from self._filled(was, now, here)

    def _added(self, old: Object, now: Schema, place: Place) -> Changes:
        others = self._others_before(old, place)
        by_pattern = _map(old, "patternProperties")
        after = _json(now)
        if place.side is Side.READ or (others is False and not by_pattern):
            message = f"{place.label} is new"
            yield change("FIELD_ADDED", place.pointer, message, (None, after))
            return
        could_be = True if by_pattern or not isinstance(others, dict) else others
        clashes = [each for each in self.compare(could_be, now, place) if each.bump is Bump.MAJOR]
        if not clashes:
            message = f"{place.label} is new, and accepts every value that was accepted before"
            yield change("FIELD_ADDED", place.pointer, message, (None, after))
            return
        message = (
            f"{place.label} is new, and other values could stand under its name before, since "
            "fields that nobody declared were accepted"
        )
        also = [each.consent for each in clashes if each.consent is not None]
        yield change("FIELD_CLAIMED", place.pointer, message, (None, after), also=also)

    def _removed(self, was: Schema, new: Object, place: Place) -> Changes:
        others = self._others_before(new, place)
        before = _json(was)
        if was is False:
            message = f"{place.label} was removed, but nobody could give it anyway"
            yield change("OTHERS_ACCEPTED", place.pointer, message, (before, None))
            return
        stays = others if isinstance(others, dict | bool) else True
        left = () if stays is False else tuple(self.compare(was, stays, place))
        also = [each.consent for each in left if each.consent is not None]
        message = f"{place.label} was removed"
        yield change("FIELD_REMOVED", place.pointer, message, (before, None), also=also)

    def _filled(self, was: Schema | None, now: Schema, place: Place) -> Changes:
        before = None if was is None else self.old.completion(was, may_be_missing=True)
        if same(before, self.new.completion(now, may_be_missing=True)):
            return
        found = self.new.filled(now)
        if found.valid is None:
            message = f"{place.label}: whether the filled-in values are valid is not known"
            yield change("DEFAULT_UNPROVEN", place.pointer, message, (None, _json(now)))
        elif not found.valid:
            value = shown(found.values[0]) if found.values else "nothing"
            message = f"{place.label}: the host would fill in {value}, which is not valid"
            yield change("DEFAULT_INVALID", place.pointer, message, (None, _json(now)))

    def _required(self, old: Object, new: Object, place: Place) -> Changes:
        if not _counts("required", old, new, place):
            return
        before, after = _names(old), _names(new)
        declared = _map(new, "properties")
        read = place.side is Side.READ
        places = {name: place.at("required", n) for n, name in _positions(old, new)}
        for name in sorted(after - before):
            said = declared.get(name)
            label = place.property(name, None, said).label
            if read:
                code, message = "PROMISE_STRONGER", f"{label} is always there now"
            elif said is not None and place.side is Side.COMPLETED and self.new.filled(said).values:
                code = "REQUIRED_WITH_DEFAULT"
                message = f"{label} is always there now; the host fills it in if it is missing"
            else:
                code, message = "REQUIRED_ADDED", f"{label} must be given now"
            yield change(code, places[name], message, (None, name))
        for name in sorted(before - after):
            label = place.property(name, None, declared.get(name)).label
            code = "PROMISE_WEAKER" if read else "REQUIRED_DROPPED"
            message = f"{label} may be missing now"
            yield change(code, places[name], message, (name, None))

    def _others(self, old: Object, new: Object, place: Place) -> Changes:
        word = "additionalProperties"
        if not _counts(word, old, new, place):
            return
        was, now = self._both_others(old, new, place)
        if was is now:
            return
        here = place.below(word, "other fields", Kind.PROPERTY).under(old, new)
        values: Values = (old.get(word), new.get(word))
        if was is False:
            message = f"{place.label}: fields that nobody declared are accepted now"
            yield change("OTHERS_ACCEPTED", here.pointer, message, values)
        elif now is False and place.side is Side.READ:
            message = f"{place.label}: there are no other fields any more"
            yield change("PROMISE_STRONGER", here.pointer, message, values)
        elif now is False:
            message = f"{place.label}: fields that nobody declared are refused now"
            yield change("OTHERS_REFUSED", here.pointer, message, values)
        else:
            yield from self.compare(was, now, here)

    @cached_property
    def _combines(self) -> bool:
        """True if several parts of a schema together may say which fields an object has."""
        return self.old.combines or self.new.combines

    def _others_before(self, said: Object, place: Place) -> Schema:
        """Return what a value may have under names that are not declared; True where unknown."""
        if place.side is Side.COMPLETED and not self._combines:
            return _schema(self.old.others(said))
        return _schema(said.get("additionalProperties", True))

    def _both_others(self, old: Object, new: Object, place: Place) -> tuple[Schema, Schema]:
        """Return what both schemas say of undeclared names: the old one at the widest.

        Where other parts of the schema may declare names as well, an object that begins to have
        `properties`, or ceases to say that it is open, counts as closed.
        """
        word = "additionalProperties"
        was, now = self._others_before(old, place), self._others_before(new, place)
        if place.side is Side.COMPLETED and self._combines:
            mentions = word in old or word in new
            if mentions or ("properties" in old) is not ("properties" in new):
                now = _schema(self.new.others(new))
        return was, now

    # ---------------------------------------------------------------- lists

    def _items(self, old: Object, new: Object, place: Place) -> Changes:
        word = "items"
        if not (word in old or word in new) or _is_list_of_items(word, old, new):
            return
        if not _counts(word, old, new, place):
            return
        was, now = (_schema(said.get(word, True)) for said in (old, new))
        here = place.below(word, "each entry", Kind.ENTRY).under(old, new)
        yield from self.compare(was, now, here)

    # ---------------------------------------------------------------- annotations of the host

    def _visibility(self, old: Object, new: Object, place: Place) -> Changes:
        word = "x-visibility"
        was, now = place.visibility(old), place.visibility(new)
        merged = self._merges and not _same_at(word, old, new)
        looser = is_looser(now, was) or (merged and _may_be_looser(old.get(word), new.get(word)))
        if was is now and not looser:
            return
        message = f"{place.label} is seen by {SEEN_BY[now]}, and was by {SEEN_BY[was]}"
        if was is now:
            message = f"{place.label} may be seen by more people, as another part says who sees it"
        code = "VISIBILITY_LOOSER" if looser else "VISIBILITY_STRICTER"
        yield change(code, place.at(word), message, (old.get(word), new.get(word)))

    def _live(self, old: Object, new: Object, place: Place) -> Changes:
        if _same_at("x-live", old, new):
            return
        was, now = place.lives(old, new)
        values: Values = (old.get("x-live"), new.get("x-live"))
        if now and not was:
            message = f"{place.label} may change while the room runs"
            yield change("LIVE_ADDED", place.at("x-live"), message, values)
        elif not now and (was or self._merges):
            message = f"{place.label} may not change any more while the room runs"
            yield change("LIVE_DROPPED", place.at("x-live"), message, values)

    # ---------------------------------------------------------------- defaults

    def _reactions(self, old: Object, new: Object, place: Place) -> Changes:
        if place.side is not Side.COMPLETED:
            return
        if same(self.old.completion(old), self.new.completion(new)):
            return
        for word in _REACT_TO_DEFAULTS:
            known = word in _COMPARED or self._means_the_same(word, old, new)
            if word in new and known and _reacts(word, new):
                message = (
                    f"{place.label}: other defaults are filled in, and it is not known "
                    "whether “{word}” accepts them"
                )
                before, after = old.get(word), new.get(word)
                yield change("DEFAULT_UNPROVEN", place.at(word), message, (before, after))


# -------------------------------------------------------------------- single keywords


def _nothing_accepted(old: Schema, new: Schema, place: Place) -> Changes:
    if old is new:
        return
    values: Values = (_json(old), _json(new))
    read = place.side is Side.READ
    if old is False:
        code = "PROMISE_WEAKER" if read else "TYPE_WIDER"
        yield change(code, place.pointer, f"{place.label}: a value is possible now", values)
    else:
        code = "PROMISE_STRONGER" if read else "TYPE_NARROWER"
        yield change(code, place.pointer, f"{place.label}: nothing is accepted any more", values)


def _types(old: Object, new: Object, place: Place) -> Changes:
    if not _same_at("type", old, new):
        read = place.side is Side.READ
        verdict = flipped(type_verdict(new, old)) if read else type_verdict(old, new)
        message = f"{place.label}: {_type(new)} instead of {_type(old)}"
        yield from _told("TYPE", verdict, "type", message, old, new, place)


def _type(schema: Object) -> str:
    said = schema.get("type", "any")
    return " or ".join(map(str, said)) if isinstance(said, list) else str(said)


def _values(old: Object, new: Object, place: Place) -> Changes:
    for word in ("enum", "const"):
        if _same_at(word, old, new):
            continue
        verdict = values_verdict(old, new)
        message = f"{place.label}: {_value_change(old, new)}"
        adds = verdict is Verdict.WIDER and allowed(new) is not None
        mixed = verdict is Verdict.OTHER and "const" not in old and "const" not in new
        if place.side is Side.READ and (adds or mixed):
            before, after = old.get(word), new.get(word)
            yield change("VALUES_WIDER", place.at(word), message, (before, after))
        else:
            yield from _told("VALUES", verdict, word, message, old, new, place)


def _value_change(old: Object, new: Object) -> str:
    before, after = allowed(old), allowed(new)
    if before is None or after is None:
        return "any value is possible now" if after is None else "only listed values are possible"
    gone = listed(value for key, value in before.items() if key not in after)
    come = listed(value for key, value in after.items() if key not in before)
    parts = [f"without {gone}"] * bool(gone) + [f"{come} as well"] * bool(come)
    return ", ".join(parts) or "the same values"


def _limits(old: Object, new: Object, place: Place) -> Changes:
    whole = "fraction" not in (kinds(new) if place.side is Side.READ else kinds(old))
    for word in sorted(LIMITS):
        if _same_at(word, old, new) or not _counts(word, old, new, place):
            continue
        verdict = limit_verdict(word, old, new, whole=whole and COUNTS_FOR[word] is NUMERIC)
        before, after = (shown(x[word]) if word in x else "none" for x in (old, new))
        message = f"{place.label}: {_LIMIT_NAMES[word]} is {after} instead of {before}"
        yield from _told("LIMIT", verdict, word, message, old, new, place)


def _told(
    family: str,
    verdict: Verdict,
    word: str,
    message: str,
    old: Object,
    new: Object,
    place: Place,
) -> Changes:
    before, after = old.get(word), new.get(word)
    wider = verdict is Verdict.WIDER
    if verdict is Verdict.SAME:
        return
    if verdict is Verdict.UNKNOWN:
        code = "KEYWORD_UNKNOWN"
    elif place.side is Side.READ:
        code = "PROMISE_STRONGER" if verdict is Verdict.NARROWER else "PROMISE_WEAKER"
    else:
        code = f"{family}_WIDER" if wider else f"{family}_NARROWER"
    yield change(code, place.at(word), message, (before, after))


def _default(old: Object, new: Object, place: Place) -> Changes:
    if _same_at("default", old, new):
        return
    before, after = old.get("default"), new.get("default")
    if "default" not in new and place.must and place.side is Side.COMPLETED:
        message = f"{place.label} must be given now, as it has no default any more"
        yield change("DEFAULT_DROPPED", place.at("default"), message, (before, None))
        return
    current = shown(after) if "default" in new else "nothing"
    message = f"{place.label}: the default is {current} instead of "
    message += shown(before) if "default" in old else "nothing"
    yield change("DEFAULT_CHANGED", place.at("default"), message, (before, after))


def _same_meaning(old: Object, new: Object, place: Place, changes: list[Change]) -> Changes:
    pointers = {each.pointer for each in changes}
    if place.pointer in pointers:
        return
    start = len(place.pointer) + 1
    changed = {each[start:].partition("/")[0] for each in pointers}
    for word in _words(old, new):
        at = place.at(word)
        if not _same_at(word, old, new) and at[start:] not in changed:
            what = "the references to it show the change" if word in PLACES else _NO_OTHER
            yield _same(at, place, what, (old.get(word), new.get(word)))


def _same(
    pointer: str, place: Place, what: str = _NO_OTHER, values: Values = (None, None)
) -> Change:
    message = f"{place.label}: written differently, and {what}"
    return change("SAME_MEANING", pointer, message, values)


# -------------------------------------------------------------------- small questions


def _may_be_looser(was: JsonValue, now: JsonValue) -> bool:
    """Return whether more people may see a field that other parts of the schema describe."""
    return now == Level.PUBLIC if was is None else now is None and was != Level.PUBLIC


def _counts(word: str, old: Object, new: Object, place: Place) -> bool:
    """Return whether a keyword matters for values that were accepted, or that readers may get."""
    return bool(COUNTS_FOR[word] & kinds(new if place.side is Side.READ else old))


def _reacts(word: str, new: Object) -> bool:
    if word in {"enum", "const"}:
        listed = (allowed(new) or {}).values()
        return any(isinstance(value, dict | list) for value in listed)
    if word == "uniqueItems":
        return new[word] is True
    most = new[word]
    if word == "maxProperties" and isinstance(most, int | float):
        closed = new.get("additionalProperties") is False and not _map(new, "patternProperties")
        return not (closed and len(_map(new, "properties")) <= most)
    return True


def _is_list_of_items(word: str, old: Object, new: Object) -> bool:
    return word == "items" and any(isinstance(said.get("items"), list) for said in (old, new))


def _dialect(schema: Object) -> str:
    return str(schema.get("$schema", DRAFT_2020_12)).removesuffix("#")


def _same_at(word: str, old: Object, new: Object) -> bool:
    if (word in old) is not (word in new):
        return False
    return same(old.get(word), new.get(word))


def _words(old: Object, new: Object) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*new, *old)))


def _names(schema: Object) -> frozenset[str]:
    said = schema.get("required")
    return frozenset(map(str, said)) if isinstance(said, list) else frozenset()


def _positions(old: Object, new: Object) -> Iterator[tuple[int, str]]:
    """Yield the positions of required names: in the new schema, or else in the old one."""
    for said in (old.get("required"), new.get("required")):
        yield from enumerate(map(str, said) if isinstance(said, list) else ())


def _map(schema: Object, word: str) -> Mapping[str, Schema]:
    said = schema.get(word)
    if not isinstance(said, dict):
        return {}
    return {name: part for name, part in said.items() if isinstance(part, dict | bool)}


def _schema(said: JsonValue) -> Schema:
    return said if isinstance(said, dict | bool) else True


def _as_object(schema: Schema) -> Object:
    return {} if isinstance(schema, bool) else schema


def _json(schema: Schema) -> JsonValue:
    return schema if isinstance(schema, bool) else dict(schema)
