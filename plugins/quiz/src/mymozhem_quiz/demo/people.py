"""People who come to an evening, each with a different name."""

_FIRST = (
    "Ana", "Björn", "Chiara", "Diego", "Elif", "Farid", "Gulnara", "Hana", "Igor", "Jelena",
    "Kofi", "Leïla", "Mateusz", "Noor", "Oskar", "Paula", "Quentin", "Rosa", "Samir", "Tuuli",
    "Uma", "Viktor", "Wanda", "Yuki", "Zoé",
)  # fmt: skip
_LAST = (
    "Adler", "Brandt", "Castillo", "Duarte", "Endo", "Ferreira", "Goldberg", "Haddad", "Ivanova",
    "Jørgensen", "Kaplan", "Lehmann", "Mbeki", "Nowak", "Oliveira", "Petrov", "Quist", "Rossi",
    "Silva", "Tanaka", "Urban", "Varga", "Weiss", "Yilmaz", "Zhang",
)  # fmt: skip


def names(count: int) -> tuple[str, ...]:
    """Return this many different names; when they run out, they get numbers."""
    return tuple(map(_name, range(count)))


def _name(number: int) -> str:
    turn, place = divmod(number, len(_FIRST) * len(_LAST))
    row, column = divmod(place, len(_FIRST))
    name = f"{_FIRST[column]} {_LAST[(row + column) % len(_LAST)]}"
    return f"{name} {turn + 1}" if turn else name
