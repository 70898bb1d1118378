"""Read whole numbers as people and spreadsheets write them: 5, "5", 5.0, 1e3, "1 000"."""

import re
from decimal import Decimal

from pydantic import JsonValue

from mymozhem.contract import fold_text

_LONGEST = 40
#: digits, perhaps in groups of three, perhaps with a decimal part that is nothing
_DIGITS = re.compile(r"\+?(?P<whole>[0-9]+|[0-9]{1,3}(?:[ '][0-9]{3})+)(?:[.,](?P<rest>0+))?")
_POWER = re.compile(r"\+?(?P<number>[0-9]+(?:[.,][0-9]+)?)e\+?(?P<power>[0-9]{1,2})")
_GROUP = 3


def whole_number(value: JsonValue) -> int | None:
    """Return the whole number that a value is, from 0; None for everything else.

    A text such as `1,000` is None: it is a thousand or one, depending on the country.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, float):
        return int(value) if value >= 0 and value.is_integer() else None
    return _of_text(value) if isinstance(value, str) and len(value) <= _LONGEST else None


def _of_text(text: str) -> int | None:
    plain = fold_text(text)  # digits of all scripts, all kinds of spaces
    if found := _DIGITS.fullmatch(plain):
        grouped = len(found["rest"] or "") == _GROUP and len(found["whole"]) <= _GROUP
        return None if grouped else int(re.sub("[ ']", "", found["whole"]))
    if found := _POWER.fullmatch(plain):
        number = Decimal(found["number"].replace(",", ".")).scaleb(int(found["power"]))
        return int(number) if number == number.to_integral_value() else None
    return None
