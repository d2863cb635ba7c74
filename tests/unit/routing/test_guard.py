"""Pins the independent check before each send, on the rulebook in use and on claims that an error elsewhere could make."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.notices import Notice
from services.routing.dispatch.areas import Areas, Matter, Statement
from services.routing.dispatch.guard import THIN_FIELDS, Claim, Guard
from services.routing.domain.rulebook.tree import whole
from services.routing.law import texts_of

TEXTS = texts_of(Path("rulebooks/england/2026.11.0.yaml"))
TEXT = whole(TEXTS)
PARTS: list[dict[str, Any]] = [yaml.load(each.text, Loader=yaml.BaseLoader) for each in TEXTS]  # noqa: S506 - makes only text
BOOK = {**PARTS[0], "rules": [rule for part in PARTS for rule in part["rules"]]}
REGISTER = Path("rulebooks/register/areas.yaml").read_text(encoding="utf-8")
GUARD = Guard([TEXT], REGISTER)
LEEDS, BARNSLEY, FORMER_BARNSLEY, HALTON = "E08000035", "E08000038", "E08000016", "E06000006"
CHILD = "c" * 32
TODAY = date(2026, 6, 1)


def said(name: str, value: str | None, subject: str = "incident", **changes: Any) -> Statement:
    """Return what the police said of an area; a correction names the statement that it corrects."""
    given = {"event_id": f"{name} {subject}", "authority": "client:police", "corrects": None} | changes
    return Statement(**given, subject=subject, name=name, value=value)


def matter(*statements: Statement, subject: str = CHILD, duty_holder: str = f"la:{LEEDS}") -> Matter:
    return Matter(subject, duty_holder, statements, TODAY)


ACTION, REQUEST = "a" * 32, "b" * 32
BESIDE = (
    "annual_report.area",
    "arrangements.area",
    "placement.by",
    "placement.in_area",
    "withdrawal.by",
)  # of items, or of no incident
CHILD_FACTS = ("child.home_area", "child.looked_after_by", "child.placed_in", "child.care_leaver_of")
IN_LEEDS = matter(
    said("incident.area", LEEDS),
    said("reporter.area", LEEDS, "a report"),
    said("notification.submitted_by", LEEDS),
    *(said(f, LEEDS) for f in BESIDE),
    *(said(f, LEEDS, CHILD) for f in CHILD_FACTS),
)
FROM_BARNSLEY = matter(
    said("incident.area", BARNSLEY), *(said(f, LEEDS, CHILD) for f in CHILD_FACTS), duty_holder=f"la:{BARNSLEY}"
)
"""What happened in Barnsley to a child of Leeds."""
FOR_POLICE = {
    "the body in action.owner": matter(said("action.owner", "police:west-yorkshire", ACTION), subject=ACTION),
    "the body in request.agency": matter(said("request.agency", "police:west-yorkshire", REQUEST), subject=REQUEST),
}
BY_HALTON = matter(
    said("incident.area", LEEDS),
    said("reporter.area", HALTON, "a report", authority=f"la:{HALTON}"),
    subject="a report",
)
PANEL = Claim(
    rulebook_sha256=hashlib.sha256(TEXT.encode()).hexdigest(),
    rule="N-01",
    position=0,
    recipient="panel",
    profile="panel-notification",
    fields=THIN_FIELDS,
    granted=BOOK["disclosure"]["panel-notification"]["give"],
    matter=IN_LEEDS,
)
EXAMPLES = {
    "panel": "panel",
    "dfe": "dfe",
    "ofsted": "ofsted",
    "la-of": "la:E08000035",
    "lscp-of": "lscp:E08000035",
    "sab-of": "sab:leeds",
    "csp-of": "csp:leeds",
    "cdr-of": "cdr:E08000035",
    "homeoffice": "homeoffice",
    "nspcc": "nspcc",
    "foundations": "foundations",
    "each of safeguarding-partners-of": "icb:west-yorkshire",
    "each of icb-of": "icb:west-yorkshire",
    "the reporter": f"la:{HALTON}",
    "the body in action.owner": "police:west-yorkshire",
    "the body in request.agency": "police:west-yorkshire",
}
BARNSLEY_OF = {
    "la-of": f"la:{BARNSLEY}",
    "lscp-of": f"lscp:{BARNSLEY}",
    "sab-of": "sab:barnsley",
    "csp-of": "csp:barnsley",
    "cdr-of": f"cdr:{BARNSLEY}",
    "each of safeguarding-partners-of": "icb:south-yorkshire",
    "each of icb-of": "icb:south-yorkshire",
}
DUTIES = [
    (rule["id"], position, duty["tell"], duty["send"])
    for rule in BOOK["rules"]
    for position, duty in enumerate(rule.get("then", []))
]


@pytest.mark.parametrize(("rule", "position", "tell", "profile"), DUTIES)
def test_each_duty_of_the_rulebook_may_be_sent_to_those_that_it_names_and_to_nobody_else(
    rule: str, position: int, tell: str, profile: str
) -> None:
    claim = claim_of(rule, position, tell, profile)
    kind = tell.partition("(")[0]
    allowed = {
        key for key, recipient in EXAMPLES.items() if GUARD.objection(replace(claim, recipient=recipient)) is None
    }

    # A council, a police force and an integrated care board are safeguarding partners of their area; an LSCP or the Panel is not.
    icb = {"each of safeguarding-partners-of", "each of icb-of"}
    alike = {"each of safeguarding-partners-of": {*icb, "la-of", *FOR_POLICE}, "each of icb-of": icb}
    assert allowed == (set(FOR_POLICE) if kind in FOR_POLICE else alike.get(kind, {kind}))


@pytest.mark.parametrize(("rule", "position", "tell", "profile"), [each for each in DUTIES if "(" in each[2]])
def test_a_recipient_of_the_right_kind_in_the_wrong_area_is_objected_to_in_each_duty_that_names_an_area(
    rule: str, position: int, tell: str, profile: str
) -> None:
    wrong = replace(claim_of(rule, position, tell, profile), recipient=BARNSLEY_OF[tell.partition("(")[0]])

    assert GUARD.objection(wrong) == f"rule {rule} does not name a recipient of this area"


def claim_of(rule: str, position: int, tell: str, profile: str) -> Claim:
    """Return a claim about Leeds's bodies; another area's are told of what happened there to a child of Leeds."""
    about = FROM_BARNSLEY if "the areas that differ" in tell else BY_HALTON if tell == "the reporter" else IN_LEEDS
    about = FOR_POLICE.get(tell, about)
    granted = BOOK["disclosure"][profile]["give"]
    return replace(PANEL, rule=rule, position=position, profile=profile, granted=granted, matter=about)


def test_only_who_made_the_report_is_told_as_its_reporter() -> None:
    """Another report of the same case, or a correction in somebody else's name, makes nobody its reporter."""
    others = (
        said("reporter.area", BARNSLEY, "another report", authority=f"la:{BARNSLEY}"),
        said("reporter.area", BARNSLEY, "a report", authority=f"la:{BARNSLEY}", corrects="reporter.area a report"),
    )
    claim = claim_of("N-14", 0, "the reporter", "referral-outcome")
    claim = replace(claim, matter=replace(BY_HALTON, statements=(*BY_HALTON.statements, *others)))

    assert GUARD.objection(replace(claim, recipient=f"la:{HALTON}")) is None
    assert (
        GUARD.objection(replace(claim, recipient=f"la:{BARNSLEY}"))
        == "rule N-14 does not name a recipient of this area"
    )


def test_an_action_is_told_to_whom_it_is_for_and_to_no_owner_of_another_action() -> None:
    others = (
        said("action.owner", "icb:west-yorkshire", "c" * 32),
        said("action.owner", f"la:{FORMER_BARNSLEY}", ACTION, event_id="2"),  # it was handed on
    )
    first = FOR_POLICE["the body in action.owner"]
    claim = claim_of("A-03A", 0, "the body in action.owner", "action")
    claim = replace(claim, matter=replace(first, statements=(*first.statements, *others)))
    told = ("police:west-yorkshire", f"la:{BARNSLEY}", "icb:west-yorkshire", "school:unregistered")

    refused = [each for each in told if GUARD.objection(replace(claim, recipient=each)) is not None]

    assert refused == ["icb:west-yorkshire", "school:unregistered"]


def test_what_is_for_an_ended_body_is_for_the_one_in_its_place() -> None:
    owned = matter(said("action.owner", "ccg:leeds", ACTION), subject=ACTION)
    by_group = matter(
        said("incident.area", LEEDS),
        said("reporter.area", LEEDS, "a report", authority="ccg:leeds"),
        subject="a report",
    )
    action = replace(claim_of("A-03A", 0, "the body in action.owner", "action"), matter=owned)
    answer = replace(claim_of("N-14", 0, "the reporter", "referral-outcome"), matter=by_group)

    def allowed(claim: Claim, on: date) -> list[str]:
        sent = replace(claim, matter=replace(claim.matter, on=on)) if claim.matter else claim
        told = ("ccg:leeds", "icb:west-yorkshire", "icb:south-yorkshire")
        return [each for each in told if GUARD.objection(replace(sent, recipient=each)) is None]

    for claim in (action, answer):
        assert allowed(claim, date(2022, 6, 30)) == ["ccg:leeds"]
        assert allowed(claim, date(2022, 7, 1)) == ["icb:west-yorkshire"]


@pytest.mark.parametrize(
    ("day", "there"), [(date(2022, 6, 30), ["ccg:leeds", "panel"]), (date(2022, 7, 1), ["icb:west-yorkshire", "panel"])]
)
def test_a_body_is_there_from_its_first_day_to_its_last(day: date, there: list[str]) -> None:
    assert [each for each in ("ccg:leeds", "icb:west-yorkshire", "panel") if GUARD.exists(each, day)] == there


def test_nothing_is_sent_to_who_hears_of_it_through_another_system() -> None:
    ofsted = replace(PANEL, rule="N-05", position=0, recipient="ofsted")

    assert GUARD.objection(ofsted) == "the decision's rulebook has no such duty"


def areas(area: str, about: Matter, rule: str = "N-11") -> frozenset[str]:
    return Areas(REGISTER).meant(area, next(each for each in BOOK["rules"] if each["id"] == rule), BOOK, about)


FIRST = said("incident.area", LEEDS, event_id="1")


@pytest.mark.parametrize(
    ("statements", "meant"),
    [
        ((), set()),
        ((FIRST,), {LEEDS}),
        ((FIRST, said("incident.area", BARNSLEY, event_id="2", corrects="1")), {BARNSLEY}),
        ((FIRST, said("incident.area", None, event_id="2", corrects="1")), {LEEDS}),  # doubt withdraws no duty
        (
            (
                FIRST,
                said("incident.area", None, event_id="2", corrects="1"),
                said("incident.area", HALTON, event_id="3", corrects="2"),
            ),
            {HALTON},
        ),
        (
            (
                FIRST,
                said("incident.area", BARNSLEY, event_id="2", corrects="1"),
                said("incident.area", HALTON, event_id="3", corrects="1"),
            ),
            {HALTON},
        ),
        ((FIRST, said("incident.area", BARNSLEY, event_id="2", authority=f"la:{LEEDS}")), {LEEDS, BARNSLEY}),
        ((FIRST, said("incident.area", BARNSLEY, event_id="2", corrects="1", authority=f"la:{LEEDS}")), {LEEDS}),
        ((said("incident.area", FORMER_BARNSLEY),), {BARNSLEY}),
    ],
)
def test_an_area_counts_as_its_sources_named_it_last(statements: tuple[Statement, ...], meant: set[str]) -> None:
    assert areas("incident.area", matter(*statements)) == meant


def test_an_authority_with_two_codes_corrects_what_it_said_under_the_other() -> None:
    first = said("incident.area", LEEDS, event_id="1", authority=f"la:{FORMER_BARNSLEY}")
    second = said("incident.area", HALTON, event_id="2", authority=f"la:{BARNSLEY}", corrects="1")

    assert areas("incident.area", matter(first, second)) == {HALTON}


def test_an_area_that_is_corrected_of_one_child_stays_that_of_another_in_the_same_report() -> None:
    other = "d" * 32
    statements = (
        said("child.home_area", LEEDS, CHILD, event_id="1"),
        said("child.home_area", LEEDS, other, event_id="1"),
        said("child.home_area", HALTON, other, event_id="2", corrects="1"),
        said("child.home_area", BARNSLEY, other, event_id="3", corrects="2"),
    )

    meant = [areas("child.home_area", matter(*statements, subject=child)) for child in (CHILD, other)]

    assert meant == [{LEEDS}, {BARNSLEY}]


def test_what_is_said_of_another_child_or_report_names_no_area_for_this_one() -> None:
    about = matter(said("child.placed_in", HALTON, "d" * 32), said("reporter.area", BARNSLEY, "another report"))
    report = matter(said("reporter.area", LEEDS, "mine"), said("reporter.area", BARNSLEY, "another"), subject="mine")

    assert areas("child.placed_in", about) == set()
    assert areas("reporter.area", report) == {LEEDS}


def test_the_duty_holder_s_area_is_one_that_it_serves_and_that_the_facts_give_it() -> None:
    stated = (said("incident.area", LEEDS), said("child.home_area", BARNSLEY, CHILD))

    assert areas("duty holder", matter(*stated), "N-03") == {LEEDS}
    assert areas("duty holder", matter(*stated, duty_holder=f"la:{BARNSLEY}"), "N-03") == {BARNSLEY}
    assert areas("duty holder", matter(*stated, duty_holder=f"la:{HALTON}"), "N-03") == set()
    assert areas("the areas that differ", matter(*stated), "N-04") == {BARNSLEY}
    assert areas("duty holder", matter(said("reporter.area", HALTON, "mine"), subject="mine"), "X-01") == set()
    by_halton = matter(said("incident.area", LEEDS), said("review.decided_by", HALTON), duty_holder=f"lscp:{HALTON}")
    assert areas("duty holder", by_halton, "L-04") == {HALTON}


def test_the_guard_asks_for_the_facts_by_which_the_rules_name_areas_and_bodies() -> None:
    by_whom = ("notification.submitted_by", "review.decided_by")
    named = ("incident.area", "reporter.area", *by_whom, "action.owner", "request.agency")
    assert GUARD.facts == sorted((*named, *BESIDE, *CHILD_FACTS))


def test_a_rulebook_that_the_guard_is_given_later_is_checked_by_too_and_none_is_forgotten() -> None:
    guard = Guard([], REGISTER)
    wanted = {PANEL.rulebook_sha256, "0" * 64}
    assert guard.lacking(wanted) == wanted
    assert guard.objection(PANEL) == "the decision's rulebook is not one of ours"

    guard.read([TEXT])
    guard.read([TEXTS[0].text])

    assert guard.lacking(wanted) == {"0" * 64}
    assert guard.objection(PANEL) is None
    assert guard.facts == GUARD.facts


@pytest.mark.parametrize(
    ("change", "objection"),
    [
        ({"rulebook_sha256": "0" * 64}, "not one of ours"),
        ({"rule": "N-99"}, "no such duty"),
        ({"position": 1}, "no such duty"),
        ({"position": -1}, "no such duty"),
        ({"recipient": "panel:leeds"}, "does not name"),
        ({"recipient": "client:panel"}, "does not name"),
        ({"matter": None}, "of this area"),
        ({"rule": "N-11", "profile": "referral", "recipient": "la:E09999999", "granted": {}}, "of this area"),
        ({"profile": "referral"}, "another profile"),
        ({"fields": {*THIN_FIELDS, "child_name"}}, "field that no notice may have"),
        ({"granted": {"personal.child.nhs_number": "in full"}}, "beyond the profile"),
        (
            {"rule": "X-02", "recipient": "sab:leeds", "profile": "cross-partnership", "granted": {"harm": "as month"}},
            "beyond",
        ),
    ],
)
def test_a_claim_that_the_rulebook_does_not_bear_out_is_objected_to(change: dict[str, Any], objection: str) -> None:
    found = GUARD.objection(replace(PANEL, **change))

    assert found is not None
    assert objection in found


def test_a_narrower_grant_is_no_objection() -> None:
    assert GUARD.objection(replace(PANEL, granted={"harm": "in full"})) is None


def test_the_list_of_thin_fields_is_that_of_the_published_notice() -> None:
    assert set(Notice.model_fields) == THIN_FIELDS
