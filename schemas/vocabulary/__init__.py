"""The vocabulary: the only facts that an event may state and a rule may use, as data in `facts.yaml`."""

from schemas.vocabulary.loading import load, parse
from schemas.vocabulary.words import (
    ITEMS,
    PERSONAL,
    FactRefused,
    FactSpec,
    ItemScope,
    Keeps,
    Kind,
    PersonalKind,
    PersonalSpec,
    Scope,
    Topic,
    Value,
    Vocabulary,
    nearest,
)

__all__ = [
    "ITEMS",
    "PERSONAL",
    "FactRefused",
    "FactSpec",
    "ItemScope",
    "Keeps",
    "Kind",
    "PersonalKind",
    "PersonalSpec",
    "Scope",
    "Topic",
    "Value",
    "Vocabulary",
    "load",
    "nearest",
    "parse",
]
