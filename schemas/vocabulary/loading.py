"""Reads `facts.yaml` into a `Vocabulary`. Every scalar is read as text, so `yes` and `no` stay words."""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib import resources
from typing import Final, cast, get_args

import yaml

from schemas.vocabulary.words import (
    ITEMS,
    PERSONAL,
    FactRefused,
    FactSpec,
    Keeps,
    Kind,
    Means,
    PersonalKind,
    PersonalSpec,
    Scope,
    Topic,
    Vocabulary,
)

_KEYS: Final = frozenset({"label", "kind", "of each", "values", "ask", "said as", "keeps", "about", "means"})
_PERSONAL_KEYS: Final = frozenset({"label", "kind", "values", "ask", "personal"})
_LISTED: Final = frozenset({"choice", "choices"})
_EACH: Final[dict[str, Scope]] = {"authority": "authority", **{word: scope for scope, word in ITEMS.items()}}


@cache
def load() -> Vocabulary:
    """Return the vocabulary of this package; the same object each time."""
    return parse(resources.files("schemas.vocabulary").joinpath("facts.yaml").read_text("utf-8"))


def parse(text: str) -> Vocabulary:
    """Return the vocabulary that a file's text describes.

    Raises:
        FactRefused: A fact lacks a label or a question, or has a key, kind or scope that does not exist.
    """
    document: dict[str, dict[str, object]] = yaml.load(text, Loader=yaml.CBaseLoader)  # noqa: S506 - BaseLoader makes only text
    counted: Counter[Scope] = Counter()
    specs, personal = [], []
    for name, entry in document.items():
        if name.startswith(PERSONAL):
            personal.append(_personal(name, entry))
            continue
        scope = _scope(name, entry)
        specs.append(_spec(name, entry, scope, counted[scope]))
        counted[scope] += 1
    return Vocabulary(specs, personal)


def _spec(name: str, entry: dict[str, object], scope: Scope, position: int) -> FactSpec:
    unknown = entry.keys() - _KEYS
    if unknown or not {"label", "ask"} <= entry.keys():
        raise FactRefused(name, f"a label and a question, and otherwise only the keys {', '.join(sorted(_KEYS))}")
    kind = str(entry.get("kind", "choice"))
    values = tuple(cast("list[str]", entry.get("values", [])))
    keeps = entry.get("keeps", "the latest")
    if kind not in get_args(Kind) or (kind == "choice") != bool(values) or keeps not in get_args(Keeps):
        raise FactRefused(
            name,
            f"a kind out of {', '.join(get_args(Kind))}, values for a choice alone, and `keeps` {', '.join(get_args(Keeps))}",
        )
    about = str(entry.get("about", "an incident"))
    if about not in get_args(Topic):
        raise FactRefused(name, f"`about` to be one of {', '.join(get_args(Topic))}")
    means = str(entry.get("means", "the incident"))
    if means not in get_args(Means):
        raise FactRefused(name, f"`means` to be one of {', '.join(get_args(Means))}")
    return FactSpec(
        name=name,
        label=str(entry["label"]),
        kind=cast("Kind", kind),
        scope=scope,
        ask=str(entry["ask"]),
        position=position,
        values=("yes", "no") if kind == "yes_no" else values,
        said_as=cast("dict[str, str]", entry.get("said as", {})),
        keeps=cast("Keeps", keeps),
        about=cast("Topic", about),
        means=cast("Means", means),
    )


def _personal(name: str, entry: dict[str, object]) -> PersonalSpec:
    kind = str(entry.get("kind", "choice"))
    values = tuple(cast("list[str]", entry.get("values", [])))
    if entry.keys() - _PERSONAL_KEYS or not {"label", "ask"} <= entry.keys() or entry.get("personal") != "yes":
        raise FactRefused(name, "a label, a question and `personal: yes`, and otherwise only a kind and values")
    if kind not in get_args(PersonalKind) or (kind in _LISTED) != bool(values):
        raise FactRefused(name, f"a kind out of {', '.join(get_args(PersonalKind))}, and values for choices alone")
    return PersonalSpec(name, str(entry["label"]), cast("PersonalKind", kind), str(entry["ask"]), values)


def _scope(name: str, entry: dict[str, object]) -> Scope:
    if "of each" in entry:
        each = _EACH.get(str(entry["of each"]))
        if each is None:
            raise FactRefused(name, f"`of each` to be one of {', '.join(_EACH)}")
        return each
    if name.startswith("child."):
        return "child"
    return "reporter" if name.startswith("reporter.") else "incident"
