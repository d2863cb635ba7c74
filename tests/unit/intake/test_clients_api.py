"""Who may be registered to speak for whom."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.bodies import Bodies
from services.intake.clients_api import ENGLAND, NewClient, check_recipient, check_registered
from services.kit.errors import Refused
from tests.support.intake import LEEDS
from tests.support.rulebooks import FOLDER

BODIES = Bodies((FOLDER / "register" / "areas.yaml").read_text("utf-8"))
TODAY = date(2026, 6, 10)


@pytest.mark.parametrize(
    ("body", "recipient"),
    [
        ("local_authority", None),
        ("local_authority", f"la:{LEEDS}"),
        ("police", "police:west-yorkshire"),
        ("childrens_partnership", f"lscp:{LEEDS}"),
        ("other_agency", "panel"),
        ("school", None),
    ],
)
def test_a_client_may_answer_for_the_body_that_it_is(body: str, recipient: str | None) -> None:
    new = NewClient.model_validate({"name": "example", "body": body, "area": LEEDS, "recipient": recipient})

    check_recipient(new, BODIES, TODAY)


@pytest.mark.parametrize(("area", "code"), [("E08000016", "E08000038"), ("E08000038", "E08000016")])
def test_a_council_with_two_codes_is_one(area: str, code: str) -> None:
    new = NewClient(name="example", body="local_authority", area=area, recipient=f"la:{code}")

    check_recipient(new, BODIES, TODAY)


@pytest.mark.parametrize(
    ("body", "recipient"),
    [
        ("school", f"la:{LEEDS}"),
        ("police", f"la:{LEEDS}"),
        ("local_authority", "la:E09000032"),
        ("local_authority", f"lscp:{LEEDS}"),
    ],
)
def test_nobody_answers_for_an_authority_but_itself(body: str, recipient: str) -> None:
    new = NewClient.model_validate({"name": "example", "body": body, "area": LEEDS, "recipient": recipient})

    with pytest.raises(Refused) as caught:
        check_recipient(new, BODIES, TODAY)

    assert caught.value.errors[0]["pointer"] == "/recipient"


@pytest.mark.parametrize(
    ("area", "recipient", "lacking"),
    [
        (LEEDS, "police:example", ["/recipient"]),
        ("E06000999", None, ["/area"]),
        ("E06000999", "la:E06000999", ["/area", "/recipient"]),
    ],
)
def test_what_the_register_lacks_is_refused(area: str, recipient: str | None, lacking: list[str]) -> None:
    new = NewClient(name="example", body="health", area=area, recipient=recipient)

    with pytest.raises(Refused, match="add it to the register and start the services again") as caught:
        check_registered(new, BODIES)

    assert [each["pointer"] for each in caught.value.errors] == lacking


@pytest.mark.parametrize(
    ("area", "recipient"),
    [
        ("E08000016", "la:E08000016"),
        ("E08000038", "la:E08000016"),
        (LEEDS, "ccg:leeds"),
        (ENGLAND, "panel"),
        (LEEDS, None),
    ],
)
def test_what_the_register_has_under_a_former_code_or_until_a_day_is_registered(
    area: str, recipient: str | None
) -> None:
    check_registered(NewClient(name="example", body="health", area=area, recipient=recipient), BODIES)
