"""What is said of a recipient: every doubt, only known dates, and each fact once, in the words of the vocabulary."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from schemas.decisions import RulebookRef
from services.routing.answering import Asked, answer
from services.routing.domain.decide import Decision, Obligation
from services.routing.domain.happenings import Happening
from services.routing.domain.statements import Fact
from services.routing.outcome.published import citation_of
from services.routing.views import AnswerView, CaseView, NoticeView, ObligationView, QuestionView
from tests.support.rulebooks import CHILD, LEEDS, LEEDS_DEATH, NOW, decided, event, fact, facts

COUNCIL = f"la:{LEEDS}"
SECOND = "child-2"
RULEBOOK = RulebookRef(id="england", version="2026.11.0", sha256="0" * 64, approved=False)
SUSPECTS = [
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]
WITHOUT_AGES = facts({name: value for name, value in LEEDS_DEATH.items() if name != "child.age_at_incident"})
OF_SECOND = fact("child.home_area", LEEDS, subject=SECOND)
AGE_OF_FIRST = fact("child.age_at_incident", 9)


def noticed(obligation: Obligation, recipient: str) -> ObligationView:
    """Return an obligation as kept, with a notice that waits for its release."""
    notice = NoticeView(
        notice_id=UUID(int=1),
        recipient=recipient,
        name=recipient,
        state="awaiting_release",
        attempts=0,
        reference=None,
        reason=None,
        at=NOW,
        due_on=None,
        corrects=None,
    )
    return ObligationView(
        obligation_id=UUID(int=2),
        case_key="0" * 32,
        revision=1,
        rule=obligation.rule.id,
        title=obligation.rule.title,
        position=obligation.slot.position,
        duty=obligation.rule.strength,
        citation=citation_of(obligation.rule),
        rulebook=RULEBOOK,
        duty_holder=obligation.slot.duty_holder,
        subject=obligation.slot.subject,
        anchor=obligation.slot.anchor,
        recipients=obligation.recipients,
        profile=obligation.duty.profile,
        release=obligation.release,
        released=obligation.released,
        stops_when=obligation.duty.stop.phrase,
        due_on=obligation.dates.due_on,
        calendar="test",
        state=obligation.standing.state,
        reason=obligation.standing.reason or None,
        opened_at=NOW,
        notices=(notice,),
    )


def put(decision: Decision) -> list[QuestionView]:
    """Return a decision's questions as they were put, each a day after the one before."""
    return [
        QuestionView.model_validate(
            {
                "question_id": UUID(int=number),
                "fact": each.fact,
                "of_whom": each.of_whom,
                "subject": each.subject,
                "ask": each.ask,
                "rules": each.rules,
                "period": {
                    "amount": each.within_working_days,
                    "unit": "working days",
                    "counted": "after",
                    "from_on": each.from_on,
                    "from_fact": "reported_on",
                    "strength": "local",
                    "cite": "x",
                },
                "due_on": each.due_on,
                "calendar": "test",
                "case_key": "0" * 32,
                "opened_at": NOW + timedelta(days=number),
            }
        )
        for number, each in enumerate(decision.questions)
    ]


def asked(
    body: str, decision: Decision, *, with_notices: bool = False, questions: list[QuestionView] | None = None
) -> list[AnswerView]:
    """Return the answers about a body."""
    kept = [noticed(each, body) for each in decision.obligations if body in each.recipients] if with_notices else []
    case = CaseView(
        case_key="0" * 32,
        linked=(),
        as_of=NOW,
        revision=1,
        rulebook=RULEBOOK,
        obligations=tuple(kept),
        questions=tuple(put(decision) if questions is None else questions),
        conflicts=(),
        traces=(),
    )
    return list(answer(Asked(case, decision, body), case).answers)


def test_a_doubt_about_one_child_is_said_while_the_notice_about_another_stands() -> None:
    decision = decided([*WITHOUT_AGES, AGE_OF_FIRST, OF_SECOND, *SUSPECTS])

    answers = [each for each in asked("panel", decision, with_notices=True) if each.rule == "N-01"]

    assert [(each.state, each.subject) for each in answers] == [("awaiting_release", CHILD), ("cannot_decide", SECOND)]
    assert [each.fact for each in answers[1].questions] == ["child.age_at_incident"]


def test_children_of_whom_the_same_is_asked_keep_the_day_on_which_it_was_asked_about_each() -> None:
    decision = decided([*WITHOUT_AGES, OF_SECOND, *SUSPECTS])
    ages = [each for each in put(decision) if each.fact == "child.age_at_incident" and each.of_whom == COUNCIL]

    answers = [each for each in asked("panel", decision) if each.rule == "N-01"]

    assert {each.subject: [question.since for question in each.questions] for each in answers} == {
        each.subject: [each.opened_at] for each in ages
    }
    assert len({each.opened_at for each in ages}) == len(answers) == 2


def test_a_question_that_has_not_been_put_has_no_day() -> None:
    (first, *_) = asked("panel", decided(WITHOUT_AGES), questions=[])

    assert first.state == "cannot_decide"
    assert {question.since for question in first.questions} == {None}


@pytest.mark.parametrize(
    ("country", "stated", "needed"),
    [
        ("england", "the country of the incident: England", "not England"),
        ("abroad", "the country of the incident: abroad", "England"),
    ],
)
def test_a_false_condition_is_said_once_in_the_labels_of_the_vocabulary(country: str, stated: str, needed: str) -> None:
    answers = asked("panel", decided([*facts(LEEDS_DEATH | {"incident.country": country}), *SUSPECTS]))

    false = next(each for each in answers if each.state == "condition_false")
    assert (false.says, false.condition) == (stated, needed)
    assert [each.in_words for each in false.statements] == [stated]


@pytest.mark.parametrize("rule", ["N-01", "N-02"])
def test_a_rule_that_excludes_an_unborn_child_says_so(rule: str) -> None:
    answers = asked("panel", decided([*facts(LEEDS_DEATH | {"child.unborn": "yes"}), *SUSPECTS]))

    [false] = [each for each in answers if each.rule == rule]
    assert (false.state, false.condition) == ("condition_false", "none of: the child was not born yet: yes")


def test_a_due_date_is_shown_only_while_the_duty_is_open() -> None:
    stated: list[Fact] = [*facts(LEEDS_DEATH), *SUSPECTS]
    against = fact("notification.decision", "not_notify", of=COUNCIL)

    running = asked("panel", decided(stated), with_notices=True)[0]
    withdrawn = next(each for each in asked("panel", decided([*stated, against])) if each.state == "withdrawn")

    assert (running.due_on is None, withdrawn.due_on is None) == (False, True)
    assert withdrawn.says == "decision not to notify"


def test_a_duty_that_was_met_before_a_notice_was_sent_is_not_called_withdrawn() -> None:
    reference = Happening("scsi.notification.submitted", COUNCIL, "incident", NOW, NOW, event("reference"))

    first = asked("panel", decided([*facts(LEEDS_DEATH), *SUSPECTS], [reference]))[0]

    assert (first.state, first.says, first.due_on) == ("met", "the Panel's reference is recorded", None)
