"""Every field of a personal block is in the vocabulary, marked as personal and with its own values; and no fact is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from schemas.submissions import SUBMISSIONS
from schemas.vocabulary import FactRefused, PersonalKind, load, parse

VOCABULARY = load()
CODE = "personal.child.reference"  # made by intake for each recipient; nobody sends it


def blocks() -> Iterator[type[BaseModel]]:
    for submission in SUBMISSIONS.values():
        field = submission.model_fields["personal"]
        yield from (each for each in (field.annotation, *get_args(field.annotation)) if is_model(each))


def is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def fields(block: type[BaseModel], prefix: str = "personal.") -> Iterator[tuple[str, Any]]:
    for name, field in block.model_fields.items():
        if name == "children":
            [child, *_] = get_args(field.annotation)
            yield from fields(child, f"{prefix}child.")
        elif name != "ref":
            yield f"{prefix}{name}", field.annotation


FIELDS = dict(found for block in blocks() for found in fields(block))


def shape(annotation: Any) -> tuple[PersonalKind, tuple[Any, ...]]:
    """Return the kind that a field has by its annotation, and the values that it takes."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        return shape(next(each for each in get_args(annotation) if each is not type(None)))
    if origin is tuple:
        inner = get_args(annotation)[0]
        return ("entries", ()) if is_model(inner) else ("choices", get_args(inner))
    if origin is Literal:
        return "choice", get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return shape(annotation.__origin__)
    kinds: dict[Any, PersonalKind] = {date: "date", int: "whole number", str: "text"}
    return kinds[annotation], ()


@pytest.mark.parametrize("name", FIELDS)
def test_a_personal_field_is_in_the_vocabulary_with_its_kind_and_its_values(name: str) -> None:
    spec = VOCABULARY.personal[name]

    assert (spec.kind, spec.values) == shape(FIELDS[name])


def test_the_vocabulary_has_no_personal_field_that_nobody_can_send() -> None:
    assert VOCABULARY.personal.keys() - FIELDS.keys() == {CODE}


def test_no_fact_is_personal_and_no_personal_field_is_a_fact() -> None:
    assert [name for name in VOCABULARY if name.startswith("personal.")] == []
    with pytest.raises(FactRefused, match="what is personal stays with intake"):
        VOCABULARY.spec("personal.child.name")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("personal.note:\n  label: a note\n  kind: text\n  ask: What?\n", "`personal: yes`"),
        ("note:\n  label: a note\n  kind: text\n  ask: What?\n", "a kind out of choice, yes_no"),
        ("note:\n  label: a note\n  kind: date\n  personal: yes\n  ask: What?\n", "only the keys"),
        ("personal.note:\n  label: a note\n  kind: area\n  personal: yes\n  ask: What?\n", "a kind out of text"),
        (
            "personal.note:\n  label: a note\n  kind: choices\n  personal: yes\n  ask: What?\n",
            "values for choices alone",
        ),
        (
            "personal.note:\n  label: a note\n  kind: text\n  of each: action\n  personal: yes\n  ask: What?\n",
            "only a kind",
        ),
    ],
)
def test_an_entry_that_is_not_marked_as_what_it_is_is_refused(entry: str, expected: str) -> None:
    with pytest.raises(FactRefused, match=expected):
        parse(entry)
