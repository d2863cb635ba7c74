"""What every act has: an event that states facts by the names of the vocabulary, a field for each.

An act is one class: its fields are what a person fills in, and each names the fact that it states. So an act that is
added needs no further code: intake checks it, its message carries the facts, routing decides by them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import Field, JsonValue

from schemas.act_personal import ActPersonal
from schemas.submission import PARTNERSHIP, PERSONAL, Submission
from schemas.vocabulary import ItemScope


def states(
    fact: str, title: str, means: str, example: str | int | None = None, *, planned: bool = False, also: str = ""
) -> Any:
    """Return a field's label, meaning and example, and the fact that it states; a planned day may lie ahead.

    `also` is a second fact of the same value: one of the case and one of what the act is about.
    """
    examples = None if example is None else [example]
    extra: dict[str, JsonValue] = {"fact": fact}
    if planned:
        extra["planned"] = True
    if also:
        extra["also"] = also
    return Field(title=title, description=means, examples=examples, json_schema_extra=extra)


class Act(Submission):
    """What every act has. `about` says what it is about, if a case has several of those.

    A field of that name has the partner's own reference of it. Without one, each event is about one of its own.
    """

    reported_by: ClassVar = PARTNERSHIP
    about: ClassVar[ItemScope | None] = None
    personal: Annotated[ActPersonal | None, PERSONAL] = None

    @property
    def about_ref(self) -> str | None:
        """Return the partner's own reference of what it is about; None where each event is about one of its own."""
        return getattr(self, self.about, None) if self.about else None

    def facts(self) -> dict[str, str | int]:
        """Return what it states: facts by name, dates as ISO text; what is left out or unknown is not there."""
        found: dict[str, str | int] = {}
        for name, field in type(self).model_fields.items():
            extra, value = field.json_schema_extra, getattr(self, name)
            if isinstance(extra, dict) and "fact" in extra and value not in {None, "unknown"}:
                for fact in filter(None, (extra["fact"], extra.get("also"))):
                    found[str(fact)] = value.isoformat() if isinstance(value, date) else value
        return found
