"""What the one validator makes of a document."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import vocabulary
from services.intake.domain.cloudevent import read
from services.intake.domain.problems import FieldError, Refusal
from services.intake.domain.validate import Submitted, validate
from tests.support.intake import NOW, structured

FACTS = vocabulary.load()


def understood(document: Any) -> Submitted:
    return validate(read(structured(document)), FACTS, NOW)


def refusal_of(document: Any) -> Refusal | None:
    try:
        understood(document)
    except Refusal as refusal:
        return refusal
    return None


def errors_of(document: Any) -> dict[str, FieldError]:
    with pytest.raises(Refusal) as caught:
        understood(document)
    return {error.pointer: error for error in caught.value.errors}
