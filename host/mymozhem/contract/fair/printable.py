"""Text of strangers on a terminal: what could steer the terminal is shown as an escape instead."""


def printable(text: str) -> str:
    """Return the text with an escape for each character that is not visible; idempotent.

    Control characters and so escape sequences, invisible characters, and those that reverse the
    direction of writing are written as in Python, such as `x1b` or `u202e` after a backslash.
    """
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode()
