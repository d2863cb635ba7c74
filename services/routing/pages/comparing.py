"""The page `/rules/compare`: what two versions of the rulebook that count say differently, rule by rule, in words.

It compares what the versions say. In which situations the outcome changes is for `handrail rules compare`: that tries
them all, which takes longer than a page may.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from services.routing.domain.words import Words
from services.routing.laws import Laws
from services.routing.pages.rulebook import Looker, chosen
from services.routing.pages.said import edition_changes, profile_changes, rule_changes

Old = Annotated[str, Query(alias="from", pattern=r"^[0-9.]{0,20}$")]
New = Annotated[str, Query(alias="to", pattern=r"^[0-9.]{0,20}$")]


def build_comparison(templates: Jinja2Templates, laws: Laws) -> APIRouter:
    """Return the route of the page."""
    router = APIRouter(include_in_schema=False)
    words = Words(laws.vocabulary, laws.register)

    @router.get("/rules/compare")
    async def compare(request: Request, who: Looker, old: Old = "", new: New = "") -> Response:
        request.state.principal = who
        versions = [each.rulebook.version for each in laws.all]
        after = chosen(laws, new).book.book
        place = max(versions.index(after.version) - 1, 0)
        before = chosen(laws, old or versions[place]).book.book
        rules = tuple(rule_changes(before, after, words))
        same = {rule.id for rule in after.rules} - {each.id for each in rules}
        shown = {
            "current": "cases",
            "before": before,
            "after": after,
            "versions": [{"value": each, "text": each} for each in versions],
            "rules": rules,
            "counted": Counter(each.became for each in rules),
            "unchanged": [rule.id for rule in after.rules if rule.id in same],
            "editions": tuple(edition_changes(before, after)),
            "profiles": tuple(profile_changes(before, after, words)),
            "defaults_differ": before.defaults != after.defaults,
        }
        return templates.TemplateResponse(request, "compare.html", shown)

    return router
