"""What an error answer says, to a program and to a person."""

import json
from typing import Any

import pytest

from services.kit.ui.problems import describe


def told(problem_body: bytes) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(problem_body)
    return members


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 499, 500, 502, 503])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_problem_says_what_happened_whether_it_was_kept_and_what_to_do(status: int, method: str) -> None:
    problem = describe(status, method)

    assert problem.status == status
    assert all([problem.title, problem.detail, problem.kept, problem.next_step])


def test_a_fault_of_ours_does_not_claim_to_know_whether_a_change_was_kept() -> None:
    assert describe(500, "POST").kept.startswith("We cannot tell")
    assert describe(403, "POST").kept.startswith("What you sent was not accepted")
    assert describe(500, "GET").kept.startswith("You asked to see something")


def test_the_words_of_the_application_win_and_its_members_stay() -> None:
    body = (
        b'{"title":"Closed","detail":"Withdrawn","kept":"It was kept","next_step":"Ask","type":"/gone","case_key":"k1"}'
    )

    members = told(describe(410, "GET", body).wire())

    assert members == {
        "type": "/gone",
        "case_key": "k1",
        "title": "Closed",
        "status": 410,
        "detail": "Withdrawn",
        "kept": "It was kept",
        "next_step": "Ask",
    }


def test_a_problem_raised_as_http_exception_is_unwrapped() -> None:
    problem = describe(409, "POST", b'{"detail":{"title":"Already decided","kept":"Yes"}}')

    assert (problem.title, problem.kept) == ("Already decided", "Yes")


def test_field_errors_point_at_the_field_and_never_repeat_its_value() -> None:
    body = json.dumps(
        {
            "detail": [
                {
                    "loc": ["body", "child", 0, "age"],
                    "detail": "expected a whole number",
                    "msg": "Invented Name",
                    "input": "Invented Name",
                },
                {"loc": ["query", "as_of"], "input": "Invented Name"},
            ]
        }
    ).encode()

    wire = describe(422, "POST", body).wire()

    assert told(wire)["errors"] == [
        {"detail": "expected a whole number", "pointer": "/child/0/age"},
        {"detail": "this value cannot be used here", "parameter": "as_of"},
    ]
    assert b"Invented Name" not in wire


def test_field_errors_of_our_own_stay_as_they_are() -> None:
    body = b'{"title":"Refused","errors":[{"pointer":"/data/area","detail":"Unknown","input":"x"}]}'

    assert told(describe(422, "POST", body).wire())["errors"] == [{"detail": "Unknown", "pointer": "/data/area"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Not Found",
        b'{"detail":"Not Found","title":"Not found"}',
        b"[1]",
        b'{"detail":7}',
        b'{"detail":["a"]}',
        b"\xff",
    ],
)
def test_any_other_body_gets_the_sentences_of_its_status(body: bytes) -> None:
    problem = describe(404, "GET", body)

    assert problem.title == "Page not found"
    assert problem.detail.startswith("There is nothing at this address")
