"""The pages `/rules`, `/rules/<id>` and `/areas/<name>`: the rulebook as people read it, and whom it means in an area.

Everything is made from a rulebook by which cases are decided, by default that of a new case, and from the register, so a
page can say nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from schemas.words import STRENGTH_WORDS, date_words
from services.kit.auth import Principal, require_page
from services.kit.errors import NotFound
from services.routing.domain.register import Area, Body
from services.routing.domain.rulebook.editions import counts_words
from services.routing.domain.rulebook.model import Compared, Rule, Rulebook, outline, walk
from services.routing.domain.words import Words
from services.routing.law import Law
from services.routing.laws import Laws
from services.routing.missing import NoSuchRulebook
from services.routing.pages.said import thens

Looker = Annotated[Principal, Depends(require_page("review_officer", "operations", "auditor"))]
RuleId = Annotated[str, Path(max_length=20)]
Version = Annotated[str, Query(pattern=r"^[0-9.]{0,20}$")]
AreaName = Annotated[str, Path(max_length=40)]
CHAPTERS: Final = {
    "N": "Who is told of an incident",
    "X": "Between partnerships",
    "S": "Safeguarding adult reviews",
    "H": "Domestic abuse related death reviews",
    "O": "Deaths by an offensive weapon",
    "R": "Rapid review, and the Panel's answer",
    "L": "Local child safeguarding practice review",
    "P": "Publication",
    "A": "Learning",
    "E": "Serious case reviews, under the guidance of 2015",
}
"""First letter of a rule's id, and what such rules are about."""


@dataclass(frozen=True, slots=True)
class Sooner:
    """A limit of a national rule that is shorter in an area, and the usual one, in words."""

    rule: Rule
    tell: str
    period: str
    usual: str


def build_rulebook_pages(templates: Jinja2Templates, laws: Laws) -> APIRouter:
    """Return the routes of the pages."""
    router = APIRouter(include_in_schema=False)
    words = Words(laws.vocabulary, laws.register)
    areas = {area.name.lower(): area for area in laws.register.areas.values()}

    @router.get("/rules")
    async def rules(request: Request, who: Looker, version: Version = "") -> Response:
        request.state.principal = who
        book = chosen(laws, version).book.book
        shown = {
            "current": "cases",
            "book": book,
            "query": f"?version={version}" if version else "",
            "versions": [each.rulebook.version for each in laws.all],
            "before": _before(book, laws),
            "chapters": [
                (CHAPTERS.get(letter, "Local rules"), [*rules])
                for letter, rules in groupby(book.rules, key=lambda rule: rule.id[0])
            ],
            "strengths": STRENGTH_WORDS,
            "areas": sorted(areas.values(), key=lambda area: area.name),
            "unchecked": sum(not rule.source.verified for rule in book.rules),
            "counts": {rule.id: _counts(rule, book) for rule in book.rules},
        }
        return templates.TemplateResponse(request, "rules.html", shown)

    @router.get("/rules/{identifier}")
    async def one(request: Request, who: Looker, identifier: RuleId, version: Version = "") -> Response:
        request.state.principal = who
        law = chosen(laws, version)
        book = law.book.book
        rule = next((each for each in book.rules if each.id == identifier.upper()), None)
        if rule is None:
            raise NotFound
        shown = {
            "current": "cases",
            "book": book,
            "query": f"?version={version}" if version else "",
            "rule": rule,
            "layer": next((each for each in book.overlays if each.name == rule.layer), None),
            "holder": words.holder(rule.holder),
            "strength": STRENGTH_WORDS[rule.strength],
            "judged_on": words.label(rule.judged_on),
            "counts": _counts(rule, book),
            "cancelled": words.asked(rule.cancelled_when) if rule.cancelled_when else "",
            "conditions": [(depth, words.asked(condition)) for depth, condition in outline(rule.when)],
            "then": tuple(thens(rule, book, words)),
            "reaches": [words.body(each) for each in rule.reaches],
            "examples": [each.name for each in book.examples if any(told.under == rule.id for told in each.tells)],
        }
        return templates.TemplateResponse(request, "rule.html", shown)

    @router.get("/areas/{name}")
    async def area(request: Request, who: Looker, name: AreaName) -> Response:
        request.state.principal = who
        law = laws.newest
        found = areas.get(name.lower()) or law.register.areas.get(name)
        if found is None:
            raise NotFound
        shown = {
            "current": "cases",
            "book": law.book.book,
            "area": found,
            "bodies": [(body, _existed(body)) for body in law.register.bodies.values() if found.code in body.areas],
            "local": [rule for rule in law.book.book.rules if names_area(rule, found)],
            "sooner": tuple(_sooner(found, law, words)),
        }
        return templates.TemplateResponse(request, "area.html", shown)

    return router


def _existed(body: Body) -> str:
    """Return when a body came, went, and had another name, in words; empty for one of which nothing of that is known."""
    said = [f"from {date_words(body.since)}"] if body.since else []
    said += [f"until {date_words(body.until)}"] if body.until else []
    return "; ".join([*said, *(f"until {date_words(each.until)} {each.name}" for each in body.formerly)])


def chosen(laws: Laws, version: str) -> Law:
    """Return the law of a version that counts, by default that of a new case.

    Raises:
        NotFound: There is no such version.
    """
    try:
        return laws.of(version) if version else laws.newest
    except NoSuchRulebook as unknown:
        raise NotFound from unknown


def _before(book: Rulebook, laws: Laws) -> str:
    """Return the version before a rulebook, empty for the first."""
    versions = ["", *(each.rulebook.version for each in laws.all)]
    return versions[versions.index(book.version) - 1]


def _counts(rule: Rule, book: Rulebook) -> str:
    return counts_words(book.editions, rule.id, rule.in_force_from, rule.in_force_until)


def names_area(rule: Rule, area: Area) -> bool:
    """Say whether a rule is written for this area: one of its conditions names it."""
    compared = (part for part in walk(rule.when) if isinstance(part, Compared))
    return any(area.code in part.values and "not" not in part.operator for part in compared)


def _sooner(area: Area, law: Law, words: Words) -> Iterator[Sooner]:
    for rule in law.book.book.rules:
        for duty in rule.then:
            if area.code in duty.sooner:
                period, usual = words.period(duty.sooner[area.code]), words.period(duty.within)
                yield Sooner(rule, words.recipients(duty.tell), period, usual)
