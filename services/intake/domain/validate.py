"""The one validator of submitted events, for HTTP and Kafka alike: from parsed JSON to a typed event, or what to change.

Strict and closed: nothing is coerced, nothing unknown in `data` is let through. Everything that is wrong is said at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

import orjson
from pydantic import Field, ValidationError

from schemas.acts import WITHDRAWN_BY
from schemas.envelope import Instant, Model
from schemas.field_faults import MISSING
from schemas.people import Child
from schemas.reporters import ReporterBody
from schemas.submission import AUTHORITY, WHO_MAY, Submission
from schemas.submissions import SUBMISSIONS, FactCorrected, IncidentReported, NotificationDecision
from schemas.vocabulary import FactRefused, Vocabulary, nearest
from services.intake.domain import moments
from services.intake.domain.ages import completed_years
from services.intake.domain.explaining import explain
from services.intake.domain.problems import FieldError, Refusal, invalid, pointer

_TRACEPARENT: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_ATTRIBUTES: Final = frozenset({"specversion", "id", "source", "time", "datacontenttype"})


class Attributes(Model):
    """The CloudEvents attributes that a submitted event needs."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(pattern=r"^[!-~]{1,128}$", description="1 to 128 printable characters without spaces")]
    source: Annotated[str, Field(pattern=r"^[!-~]{1,256}$", description="a URI reference without spaces")]
    time: Instant
    datacontenttype: Annotated[str, Field(pattern=r"^application/json *(;.*)?$")] | None = None


_THE_AUTHORITYS_OWN: Final = (
    "it is about the authority's own knowledge, view or act. "
    "If you know of it, report what you know as incident.reported.v1."
)
_THE_BODYS_OWN: Final = "it is about the body's own act. If you know of it, tell that body."


@dataclass(frozen=True, slots=True)
class Submitted:
    """An event that may be accepted, as far as its own content can tell."""

    submitted_id: str
    source: str
    type: str
    time: datetime
    traceparent: str | None
    data: Submission


def validate(fields: Mapping[str, object], vocabulary: Vocabulary, now: datetime) -> Submitted:
    """Return the typed event.

    Args:
        fields: What `cloudevent.read` returned, with a readable `personal` block.
        vocabulary: The facts that may be corrected, and their values.
        now: Aware; nothing that has happened may lie more than a day after it.

    Raises:
        Refusal: With every place that has to change.
    """
    model = _model_of(fields)
    attributes, errors = _attributes(fields)
    data, found, more = _data(fields, model)
    errors += found
    if attributes is None or data is None:
        raise invalid(*errors, more=more)
    raw = {"time": fields["time"], "data": fields["data"]}
    errors += moments.check(attributes.time, raw["time"], ("time",), now)
    errors += moments.check(data, raw["data"], ("data",), now)
    errors += tuple(_meaning(data, vocabulary, now))
    if errors:
        raise invalid(*errors)
    trace = fields.get("traceparent")
    return Submitted(
        submitted_id=attributes.id,
        source=attributes.source,
        type=str(fields["type"]),
        time=attributes.time.astimezone(UTC),
        traceparent=trace if isinstance(trace, str) and _TRACEPARENT.fullmatch(trace) else None,
        data=data,
    )


def check_allowed(submitted: Submitted, body: ReporterBody, vocabulary: Vocabulary) -> None:
    """Check that a client of this body may report such an event.

    Raises:
        Refusal: It may not; says who may.
    """
    data = submitted.data
    allowed = data.reported_by
    if isinstance(data, FactCorrected) and vocabulary.spec(data.fact).scope == "authority":
        allowed = AUTHORITY
    if allowed is not None and body not in allowed:
        because = _THE_AUTHORITYS_OWN if allowed == AUTHORITY else _THE_BODYS_OWN
        raise Refusal("not_allowed", f"Only {WHO_MAY[allowed]} may report this: {because}")


def _model_of(fields: Mapping[str, object]) -> type[Submission]:
    given = fields.get("type")
    model = SUBMISSIONS.get(given) if isinstance(given, str) else None
    if model is None:
        word = nearest(given, SUBMISSIONS) if isinstance(given, str) else None
        hint = f"did you mean {word}?" if word else ""
        raise invalid(FieldError("/type", "this is not an event type", f"one of: {', '.join(SUBMISSIONS)}", hint))
    return model


def _attributes(fields: Mapping[str, object]) -> tuple[Attributes | None, tuple[FieldError, ...]]:
    given = {name: value for name, value in fields.items() if name in _ATTRIBUTES}
    try:
        return Attributes.model_validate_json(_written(given)), ()
    except ValidationError as error:
        errors, _ = explain(error, Attributes, given, ())  # they are a few names, so there is never more
        return None, errors


def _data(
    fields: Mapping[str, object], model: type[Submission]
) -> tuple[Submission | None, tuple[FieldError, ...], int]:
    if "data" not in fields:
        hint = "put the event's content in data as JSON, not base64" if "data_base64" in fields else ""
        return None, (FieldError("/data", MISSING, "an object with the event's content", hint),), 0
    try:
        return model.model_validate_json(_written(fields["data"])), (), 0
    except ValidationError as error:
        return None, *explain(error, model, fields["data"], ("data",))


def _written(value: object) -> bytes:
    """Return the JSON of a value; what can be read may be nested more deeply than what can be written."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise Refusal("not_json", "The event is nested too deeply to be read.") from None


def _meaning(data: Submission, vocabulary: Vocabulary, now: datetime) -> Iterator[FieldError]:
    """Find what each field may say, but not all of them together."""
    yield from _link(data)
    if isinstance(data, IncidentReported):
        yield from _children(data)
    if isinstance(data, NotificationDecision):
        yield from _override(data)
    if isinstance(data, FactCorrected):
        yield from _correction(data, vocabulary, now)


def _link(data: Submission) -> Iterator[FieldError]:
    link = data.linked_case
    if link is None:
        return
    by_reference = link.client is not None and link.case_reference is not None
    half = (link.client is None) != (link.case_reference is None)
    if half or by_reference == (link.case_key is not None):
        yield FieldError(
            "/data/linked_case",
            "it is not clear which case is meant",
            "either case_key, or client and case_reference together",
        )


def _override(data: NotificationDecision) -> Iterator[FieldError]:
    """A decision departs from a rule openly: with the reason. To notify, or to defer, takes nothing from anybody."""
    if data.override_of_rule is None:
        return
    if data.outcome != "not_notify":
        hint = "leave override_of_rule out, or decide not_notify"
        problem = "only a decision not to notify departs from a rule"
        yield FieldError("/data/override_of_rule", problem, "nothing here", hint)
    if not (data.personal.reason or "").strip():
        problem = "the reason is missing for which the decision departs from the rule"
        yield FieldError("/data/personal/reason", problem, "the reason in the decider's own words")


def _children(data: IncidentReported) -> Iterator[FieldError]:
    refs = [child.ref for child in data.children]
    for index, ref in enumerate(refs):
        if ref in refs[:index]:
            yield FieldError(
                pointer("data", "children", index, "ref"), "this reference stands twice", "one entry a child"
            )
    for index, each in enumerate(data.children):
        if each.died == "no" and (data.harm != "death" or has_death(data, each)):
            yield FieldError(
                pointer("data", "children", index, "died"),
                "that the child did not die fits a death of another child alone, and no age or date of death",
                "yes, or nothing here",
            )
    if data.personal is None:
        return
    seen: set[str] = set()
    for index, child in enumerate(data.personal.children):
        at = ("data", "personal", "children", index)
        if child.ref not in refs:
            yield FieldError(
                pointer(*at, "ref"), "no child of this reference stands in /data/children", "a ref of /data/children"
            )
        elif child.ref in seen:
            yield FieldError(pointer(*at, "ref"), "this reference stands twice", "one entry a child")
        else:
            seen.add(child.ref)
            yield from _ages(data, index, refs.index(child.ref))


def has_death(data: IncidentReported, child: Child) -> bool:
    """Say whether the report has an age or a date of the child's death."""
    people = data.personal.children if data.personal else ()
    dated = any(person.ref == child.ref and person.date_of_death is not None for person in people)
    return dated or child.age_at_death is not None


def _ages(data: IncidentReported, personal_index: int, index: int) -> Iterator[FieldError]:
    if data.personal is None:
        return
    person, child = data.personal.children[personal_index], data.children[index]
    for on, given, name, event in (
        (data.personal.incident_date, child.age_at_incident, "age_at_incident", "the incident"),
        (person.date_of_death, child.age_at_death, "age_at_death", "the death"),
    ):
        if person.date_of_birth is None or on is None:
            continue
        derived = completed_years(person.date_of_birth, on)
        if derived is None and name == "age_at_incident" and child.unborn == "yes":
            continue  # born since: N-16 is about these children
        if derived is None:
            yield FieldError(
                pointer("data", "personal", "children", personal_index, "date_of_birth"),
                f"the birth is after {event}",
                f"a day not after {event}",
            )
        elif given is not None and given != derived:
            yield FieldError(
                pointer("data", "children", index, name),
                "this age is not the one that the dates in personal give",
                "the age in completed years on that day",
                "leave the age out: it is derived from the dates",
            )


def is_registered(fact: str) -> bool:
    """Say whether a fact comes from who sent the event, as it is registered: no event can put that right."""
    return fact.startswith("reporter.") or fact == WITHDRAWN_BY


def _correction(data: FactCorrected, vocabulary: Vocabulary, now: datetime) -> Iterator[FieldError]:
    if is_registered(data.fact):
        yield FieldError(
            "/data/fact",
            "this fact comes from your registration",
            "another fact",
            "ask Handrail's operations to change it",
        )
        return
    try:
        spec = vocabulary.spec(data.fact)
    except FactRefused as refused:
        hint = f"did you mean {refused.nearest_word}?" if refused.nearest_word else ""
        if data.fact.startswith("personal"):
            hint = "personal details are no facts: report them anew, under a new id"
        yield FieldError("/data/fact", "this is not a fact of the vocabulary", f"one of: {', '.join(vocabulary)}", hint)
        return
    if data.fact == "notification.override_of_rule" and data.value is not None:
        hint = "null withdraws it; report notification.decision.v1 with the rule and the reason"
        yield FieldError("/data/value", "a decision departs from a rule, not a correction", "null", hint)
        return
    try:
        value = vocabulary.check(data.fact, data.value)
    except FactRefused as refused:
        hint = f"did you mean {refused.nearest_word}?" if refused.nearest_word else "null withdraws the fact"
        yield FieldError("/data/value", "this fact does not take such a value", refused.expected, hint)
    else:
        if isinstance(value, date):
            yield from moments.check_stated(data.fact, value, str(data.value), ("data", "value"), now)
    if (spec.scope == "child") != (data.child_ref is not None):
        expected = (
            "the reference of the child" if spec.scope == "child" else "no child_ref: the fact is not about one child"
        )
        yield FieldError("/data/child_ref", "this does not go with the fact", expected)
