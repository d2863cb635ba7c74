"""Pins the independent check before each send, on the rulebook in use and on claims that an error elsewhere could make."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.notices import Notice
from services.routing.dispatch.guard import THIN_FIELDS, Claim, Guard

TEXT = Path("rulebooks/england/2026.11.0.yaml").read_text(encoding="utf-8")
BOOK: dict[str, Any] = yaml.load(TEXT, Loader=yaml.BaseLoader)  # noqa: S506 - makes only text
GUARD = Guard([TEXT])
PANEL = Claim(
    rulebook_sha256=hashlib.sha256(TEXT.encode()).hexdigest(),
    rule="N-01",
    position=0,
    recipient="panel",
    profile="panel-notification",
    fields=THIN_FIELDS,
    granted=BOOK["disclosure"]["panel-notification"]["give"],
)
EXAMPLES = {
    "panel": "panel",
    "dfe": "dfe",
    "ofsted": "ofsted",
    "la-of": "la:E08000035",
    "lscp-of": "lscp:E08000035",
    "sab-of": "sab:leeds",
    "csp-of": "csp:leeds",
    "each of safeguarding-partners-of": "icb:west-yorkshire",
}
DUTIES = [
    (rule["id"], position, duty["tell"].partition("(")[0], duty["send"])
    for rule in BOOK["rules"]
    for position, duty in enumerate(rule["then"])
]


@pytest.mark.parametrize(("rule", "position", "tell", "profile"), DUTIES)
def test_each_duty_of_the_rulebook_may_be_sent_to_those_that_it_names_and_to_nobody_else(
    rule: str, position: int, tell: str, profile: str
) -> None:
    claim = replace(PANEL, rule=rule, position=position, profile=profile, granted=BOOK["disclosure"][profile]["give"])
    allowed = {
        key for key, recipient in EXAMPLES.items() if GUARD.objection(replace(claim, recipient=recipient)) is None
    }

    # A council is a safeguarding partner of its area; an LSCP, a board or the Panel is not.
    assert allowed == ({tell, "la-of"} if "partners" in tell else {tell})


@pytest.mark.parametrize(
    ("change", "objection"),
    [
        ({"rulebook_sha256": "0" * 64}, "not one of ours"),
        ({"rule": "N-99"}, "no such duty"),
        ({"position": 1}, "no such duty"),
        ({"position": -1}, "no such duty"),
        ({"recipient": "panel:leeds"}, "does not name"),
        ({"recipient": "client:panel"}, "does not name"),
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
