"""Canonical JSON: one sequence of bytes for one value, so that a hash over it means something.

A restricted profile of RFC 8785 (JSON Canonicalization Scheme): ASCII keys, no floating point, integers that every JSON
reader keeps exact. Inside it, sorting keys by code point equals RFC 8785's UTF-16 order and a fast encoder gives the same
bytes as the reference one, which a test checks; outside it, this refuses.
"""

from collections.abc import Mapping, Sequence

import orjson

EXACT = 2**53 - 1  # largest integer that an IEEE double, and so every JSON reader, keeps exact

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]


class NotCanonical(ValueError):
    """A value lies outside the profile. The message names the kind of value, never the value."""


def canonical(value: Json) -> bytes:
    """Return `value` as canonical JSON.

    Raises:
        NotCanonical: It holds a float, an integer beyond 2^53 - 1, a key that is not ASCII text, or text that is not
            valid Unicode.
    """
    _check(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        message = "expected text that is valid Unicode and values nested less than 254 deep"
        raise NotCanonical(message) from error


def _check(value: object) -> None:
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) > EXACT:
                message = "expected an integer within +-(2^53 - 1)"
                raise NotCanonical(message)
        case dict():
            for key, inner in value.items():
                if not isinstance(key, str) or not key.isascii():
                    message = "expected keys of ASCII text"
                    raise NotCanonical(message)
                _check(inner)
        case list() | tuple():
            for inner in value:
                _check(inner)
        case _:
            message = f"expected a JSON value without floating point, got {type(value).__name__}"
            raise NotCanonical(message)
