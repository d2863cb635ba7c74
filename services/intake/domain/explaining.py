"""Turns what pydantic found wrong into sentences for the person who must put it right, with the nearest known word.

What pydantic says about a value may quote it, so its messages are never used: only the kind of error, the place, and what
the model expects there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final, get_args

import orjson
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from schemas.field_faults import MISSING, UNKNOWN_FIELD, UNUSABLE, WORDS, expected
from schemas.vocabulary import nearest
from services.intake.domain.problems import LISTED, FieldError, pointer

_ELSEWHERE: Final = "a value as the field's page at /docs/events describes it"
_KINDS: Final = frozenset({"string_type", "int_type", "int_from_float"})
_OF_LISTS: Final = ("tuple_type", "too_short", "too_long")
_MANY: Final = 1_000
_HINTED: Final = 20  # the nearest word takes longer to find than all else that is said of a place


def explain(
    error: ValidationError, model: type[BaseModel], value: object, at: Sequence[str | int]
) -> tuple[tuple[FieldError, ...], int]:
    """Return what has to change, one entry per place, in the order of the fields; and how much more there is.

    Args:
        error: What pydantic found.
        model: The model that `value` was to fit.
        value: The parsed JSON that was checked.
        at: Path of `value` in the whole event.
    """
    found: dict[str, FieldError] = {}
    more = error.error_count()
    items = _first_errors(error, model, value)
    around = {item["loc"][:length] for item in items for length in range(len(item["loc"]))}
    for item in items:
        if (
            item["type"] == "too_short" and item["loc"] in around
        ):  # entries that are wrong are not counted in its length
            more -= 1
            continue
        path = _real_path(item["loc"], value, missing=item["type"] == "missing")
        place = pointer(*at, *path)
        if place not in found:
            if len(found) == LISTED:
                break
            told = _one(item["type"], item.get("ctx", {}), path, model, value, hinted=len(found) < _HINTED)
            found[place] = FieldError(place, *told)
        elif item["type"] in _KINDS:
            found[place] = _or(found[place], _expected(item["type"], item.get("ctx", {})))
        more -= 1
    return tuple(found.values()), more


def _or(found: FieldError, another: str) -> FieldError:
    """Return what is said of a place that takes values of several kinds, with one more of them."""
    kinds = found.expected.split(" or ")
    is_kind = WORDS.issuperset(kinds)
    return replace(found, expected=" or ".join((*kinds, another))) if is_kind and another not in kinds else found


def _first_errors(error: ValidationError, model: type[BaseModel], value: object) -> Sequence[ErrorDetails]:
    """Return pydantic's errors, of very many the first: it tells all or none, and each takes its time to be told."""
    if error.error_count() > _MANY:
        try:
            model.model_validate_json(orjson.dumps(_first_of(model, value, ())))
        except ValidationError as first:
            error = first
        else:
            return ()  # all of them stand behind the first entries of a list
    return error.errors(include_url=False, include_input=False)


def _first_of(model: type[BaseModel], value: object, path: tuple[str | int, ...]) -> object:
    """Return a value that is wrong where the whole is, as far as that is listed: no deeper than the model and nowhere wider."""
    match value:
        case dict():
            known = fields_at(model, path)
            unknown = islice((name for name in value if name not in known), LISTED)
            said = {name: _first_of(model, value[name], (*path, name)) for name in known if name in value}
            return said | dict.fromkeys(unknown)
        case list():
            in_list = bool(path) and isinstance(path[-1], int)  # no field takes lists of lists
            return [] if in_list else [_first_of(model, part, (*path, n)) for n, part in enumerate(value[:LISTED])]
        case _:
            return value


def _real_path(loc: Iterable[str | int], value: object, *, missing: bool) -> tuple[str | int, ...]:
    """Cut pydantic's location where it stops being a place in the event and names a branch of a union."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(value, dict) and (missing or part in value):
            path.append(part)
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            path.append(part)
            value = value[part]
        else:
            break
    return tuple(path)


def _one(
    kind: str,
    context: Mapping[str, object],
    path: tuple[str | int, ...],
    model: type[BaseModel],
    value: object,
    *,
    hinted: bool,
) -> tuple[str, str, str]:
    name = str(path[-1]) if path else ""
    fields = fields_at(model, path[:-1])
    if kind == "extra_forbidden":
        word = nearest(name, fields) if hinted else None
        return UNKNOWN_FIELD, f"one of: {', '.join(fields)}", _did_you_mean(word)
    if kind == "missing":
        return MISSING, _field_words(model, path), ""
    allowed = () if kind in _OF_LISTS else choices_at(model, path)  # of a list the words are those of its entries
    given = _value_at(value, path)
    if allowed:
        word = nearest(given, allowed) if hinted and isinstance(given, str) else None
        return "this value is not one that can stand here", _field_words(model, path), _did_you_mean(word)
    return UNUSABLE, _expected(kind, context), ""


def _expected(kind: str, context: Mapping[str, object]) -> str:
    return expected(kind, context) or _ELSEWHERE


def _did_you_mean(word: str | None) -> str:
    return f"did you mean {word}?" if word else ""


def _field_words(model: type[BaseModel], path: tuple[str | int, ...]) -> str:
    """Say what may stand in a field: its words and what its type says of others, or else what the field means."""
    field, *types = _leaves_at(model, path) or (None,)
    words = [each for each in types if isinstance(each, str)]
    described = [each.description.rstrip(".") for each in types if isinstance(each, FieldInfo) and each.description]
    if words:
        return "one of: " + ", ".join((*described[:1], *words))
    meaning = field.description if isinstance(field, FieldInfo) else None
    return next(iter(described), (meaning or _ELSEWHERE).rstrip("."))


def fields_at(model: type[BaseModel], path: Sequence[str | int]) -> tuple[str, ...]:
    """Return the names of the fields of the model that stands at `path`."""
    found = _model_at(model, path)
    return tuple(found.model_fields) if found else ()


def choices_at(model: type[BaseModel], path: Sequence[str | int]) -> tuple[str, ...]:
    """Return the words that may stand at `path`, in a list or alone, none if it does not take words of a list."""
    return tuple(leaf for leaf in _leaves_at(model, path) if isinstance(leaf, str))


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    here: type[BaseModel] | None = model
    for part in path:
        if here is None or isinstance(part, int):
            continue
        field = here.model_fields.get(part)
        here = _first_model(_leaves(field.annotation)) if field else None
    return here


def _first_model(leaves: Iterable[object]) -> type[BaseModel] | None:
    return next((leaf for leaf in leaves if isinstance(leaf, type) and issubclass(leaf, BaseModel)), None)


def _leaves_at(model: type[BaseModel], path: Sequence[str | int]) -> tuple[object, ...]:
    names = [part for part in path if isinstance(part, str)]  # an entry of a list takes what the list does
    if not names:
        return ()
    parent = _model_at(model, names[:-1])
    field = parent.model_fields.get(names[-1]) if parent else None
    return (field, *_leaves(field.annotation)) if field else ()


def _leaves(annotation: object) -> tuple[object, ...]:
    """Return every leaf of an annotation: classes, words of a Literal, and what Annotated adds."""
    parts = get_args(annotation)
    return tuple(leaf for part in parts for leaf in _leaves(part)) if parts else (annotation,)


def _value_at(value: object, path: Sequence[str | int]) -> object:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part]
    return value
