"""What is wrong with a field, in plain words, by the kind of error that pydantic found. Pure.

Pydantic's own messages may quote what was sent, so they are never used, nor is anything of an error's context but the
bounds that the model sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MISSING: Final = "this field is missing"
UNKNOWN_FIELD: Final = "there is no field of this name here"
UNUSABLE: Final = "this value cannot be used here"
_EXPECTED: Final[tuple[tuple[str, str], ...]] = (  # first prefix of the error's kind that fits
    ("string_too_long", "text of at most {max_length} characters"),
    ("string_too_short", "text of {min_length} or more characters"),
    ("string_pattern_mismatch", "text of the form {pattern}"),
    ("string_control", "text without control characters"),
    ("string", "text in double quotes"),
    ("int", "a whole number, without quotes"),
    ("greater_than_equal", "a whole number of at least {ge}"),
    ("less_than_equal", "a whole number of at most {le}"),
    ("too_long", "at most {max_length} entries"),
    ("too_short", "{min_length} or more entries"),
    ("tuple", "a list in square brackets"),
    ("model", "an object in curly brackets"),
    ("dict", "an object in curly brackets"),
    ("uuid", "a UUID, such as one from a receipt"),
    ("datetime", "a date and time with its offset, such as 2026-11-23T09:15:00Z"),
    ("timezone", "a date and time with its offset, such as 2026-11-23T09:15:00Z"),
    ("date", "a date as YYYY-MM-DD"),
    ("json_invalid", "less deeply nested values"),
)
_LETTERS: Final = "letters, digits and / _ . -, without spaces, beginning with a letter or a digit"
_FORMS: Final[Mapping[str, str]] = {  # a pattern is nothing to read for whoever fills in a form
    r"^[A-Za-z0-9][A-Za-z0-9/_.-]{0,31}$": f"1 to 32 {_LETTERS}",
    r"^[A-Za-z0-9][A-Za-z0-9/_.-]{0,63}$": f"1 to 64 {_LETTERS}",
    r"^[A-Za-z0-9][A-Za-z0-9/_.-]{2,63}$": f"3 to 64 {_LETTERS}",
    r"^[a-z0-9-]{1,32}$": "1 to 32 small letters, digits and hyphens, without spaces",
    r"^[a-z0-9-]{3,40}$": "3 to 40 small letters, digits and hyphens, without spaces",
    r"^[a-z_]{1,40}$": "1 to 40 small letters, with _ for a space",
    r"^[0-9]{6}$": "6 digits, without spaces",
    r"^[0-9]{10}$": "10 digits, without spaces",
    r"^[0-9a-f]{32}$": "32 digits and letters a to f, as in the `case_key` of a receipt or a notice",
    r"^[0-9a-f]{64}$": "64 digits and letters a to f",
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": "a time of day, such as 09:30",
    r"^[EWSN][0-9]{8}$": "a GSS code, such as E08000035",
    r"^[a-z]+(:[A-Za-z0-9-]+)?$": "an id of the register of recipients, such as la:E08000035",
    r"^[!-~]{1,128}$": "1 to 128 printable characters of ASCII, without spaces",
    r"^[!-~]{1,256}$": "1 to 256 printable characters of ASCII, without spaces",
    r"^application/json *(;.*)?$": "application/json, or nothing",
}
WORDS: Final = frozenset(words for _, words in _EXPECTED)
"""All that `expected` may answer, before the bounds are put in."""


def expected(kind: str, context: Mapping[str, object]) -> str | None:
    """Return what a field takes, by pydantic's name of an error and its context; None if nothing plain is known of that."""
    if context.get("field_type") == "Value":  # of text that is bounded after it was checked, pydantic says no more
        kind = f"string_{kind}"
    if form := _FORMS.get(str(context.get("pattern"))):
        return form
    words = next((words for prefix, words in _EXPECTED if kind.startswith(prefix)), None)
    return words.format_map(context) if words and "{" in words else words


def fault(kind: str, context: Mapping[str, object]) -> str:
    """Return what is wrong with a field in one phrase."""
    if kind == "missing":
        return MISSING
    if kind == "extra_forbidden":
        return UNKNOWN_FIELD
    if kind in {"literal_error", "enum"}:
        return f"expected {context['expected']}"
    if kind == "json_invalid":
        return "expected JSON"
    wanted = expected(kind, context)
    return f"expected {wanted}" if wanted else UNUSABLE
