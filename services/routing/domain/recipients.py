"""Who a `then` entry means in one run of its rule, and the place that its obligation has in the case."""

from __future__ import annotations

from schemas.vocabulary import Value
from services.routing.domain.facts import REPORTER
from services.routing.domain.happenings import Slot
from services.routing.domain.reasons import differing_areas
from services.routing.domain.rulebook.evaluate import Evaluation, Trace
from services.routing.domain.rulebook.model import AREAS_THAT_DIFFER, DUTY_HOLDER, Duty, InFact, Named, TheReporter


def recipients(duty: Duty, evaluation: Evaluation, trace: Trace) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the ids of those to be told, in register order, and the areas, or the one body, that the register does not have.

    To tell is an act of the day of the decision: they are those who exist then, whichever day the rule is judged on. None
    while the area or the body is not known.
    """
    tell = duty.tell
    if isinstance(tell, Named):
        return (tell.body,), ()
    if isinstance(tell, TheReporter):
        return _reporter(evaluation, trace)
    if isinstance(tell, InFact):
        return _named(evaluation.value(tell.fact, trace), evaluation)
    areas: tuple[str, ...]
    if tell.area == DUTY_HOLDER:
        areas = (trace.holder.area,) if trace.holder and trace.holder.area else ()
    elif tell.area == AREAS_THAT_DIFFER:
        areas = differing_areas(evaluation, trace)
    else:
        area = evaluation.value(tell.area, trace)
        areas = (area,) if isinstance(area, str) else ()
    if not areas:
        return None
    register = evaluation.register
    unserved = tuple(area for area in areas if not register.serving(tell.group, area))
    return register.serving_all(tell.group, areas), unserved


def _named(body: Value | None, evaluation: Evaluation) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    if not isinstance(body, str):
        return None
    present = evaluation.facts.in_place_of(body)
    return ((present,), ()) if evaluation.register.has(present) else ((), (present,))


def _reporter(evaluation: Evaluation, trace: Trace) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the body that made the report; a client that answers for no registered body cannot be told by us."""
    report = trace.owner("reporter")
    if report is None:
        return None
    source, area = evaluation.facts.reporter_of(report), evaluation.facts.value("reporter.area", report)
    if source == REPORTER or evaluation.register.has(source):
        return (source,), ()
    return ((), (area,)) if isinstance(area, str) else None


def slot_of(evaluation: Evaluation, trace: Trace, position: int) -> Slot:
    """Return the obligation's place; the run must have a duty holder."""
    judged_on = evaluation.book.rules[trace.rule].rule.judged_on
    owner = evaluation.owner(judged_on, trace)
    holder = trace.holder.id if trace.holder else ""
    return Slot(trace.rule, position, holder, trace.subject, f"{judged_on} of {owner}")
