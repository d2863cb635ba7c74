"""What the API and the pages show of a case: decisions, notices, and the answer to "was this recipient told?"."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from schemas.decisions import Citation, ObligationOpenedData, QuestionOpenedData, RulebookRef, Strength

State = Literal[
    "delivered",
    "owed",
    "awaiting_release",
    "met",
    "derived",
    "withdrawn",
    "cannot_decide",
    "excluded",
    "not_in_force",
    "condition_false",
    "no_rule",
]
STATE_WORDS: Final[dict[State, str]] = {
    "delivered": "Delivered",
    "owed": "Owed, undelivered",
    "awaiting_release": "Awaiting a person's release",
    "met": "Met before a notice was sent",
    "derived": "Derived through another system",
    "withdrawn": "Withdrawn",
    "cannot_decide": "Cannot decide yet",
    "excluded": "Excluded by a rule",
    "not_in_force": "The rule was not in force then",
    "condition_false": "A condition is false",
    "no_rule": "No rule names it",
}
"""The eleven answers, in the order in which they are given when there are several."""


class View(BaseModel):
    """Base of everything shown."""

    model_config = ConfigDict(frozen=True)


class NoticeView(View):
    """One notice and its state: owed, awaiting_release, sending, delivered, accepted, refused, withdrawn or superseded.

    `due_on`: the date that it gives. `corrects`: the notice whose place it takes, because that one gave another date.
    """

    notice_id: UUID
    recipient: str
    name: str
    state: str
    attempts: int
    reference: str | None
    reason: str | None
    at: datetime
    due_on: date | None
    corrects: UUID | None


class ObligationView(ObligationOpenedData):
    """An obligation as it stands, or stood, with its notices."""

    model_config = ConfigDict(strict=False, extra="forbid", frozen=True)

    case_key: str
    state: str
    reason: str | None
    opened_at: datetime
    notices: tuple[NoticeView, ...]


class QuestionView(QuestionOpenedData):
    """An open question."""

    model_config = ConfigDict(strict=False, extra="forbid", frozen=True)

    case_key: str
    opened_at: datetime


class PutView(QuestionView):
    """A question as it was put; `closed_at` and `reason` are absent while it is open."""

    closed_at: datetime | None
    reason: str | None


class MigrationView(View):
    """That a case was moved to another version of the rulebook; `by` is an account, absent if nobody asked for it."""

    case_key: str
    migrated_at: datetime
    from_version: str
    to_version: str
    reason: str
    by: str | None


class CaseView(View):
    """Everything decided about a case and those linked to it, at one time."""

    case_key: str
    linked: tuple[str, ...]
    as_of: datetime
    revision: int
    rulebook: RulebookRef
    migrations: tuple[MigrationView, ...] = ()
    obligations: tuple[ObligationView, ...]
    questions: tuple[QuestionView, ...]
    conflicts: tuple[str, ...]
    traces: tuple[dict[str, Any], ...]


class CaseLine(View):
    """One case in the list."""

    case_key: str
    decided_at: datetime
    revision: int
    open_obligations: int
    open_questions: int


class CaseList(View):
    """A page of cases, those decided last first; `next` is the `after` of the next page, none on the last."""

    cases: tuple[CaseLine, ...]
    next: str | None


class StatementView(View):
    """A statement that an answer rests on; `in_words` is the fact with its value for people.

    `recorded_at` is absent where nothing was recorded because the facts are only supposed.
    """

    fact: str
    value: str
    in_words: str
    source: str
    name: str
    recorded_at: datetime | None


class AskedView(View):
    """A question that keeps an answer open; `since` is absent if it had not been put yet."""

    fact: str
    ask: str
    of_whom: str
    name: str
    since: datetime | None


class AnswerView(View):
    """One answer about a recipient under one rule. `subject` is whom it is about: a child, a report or `incident`.

    `due_on` is absent unless the duty is open; `condition` is what the rule needs of the fact in `statements`.
    """

    state: State
    rule: str | None
    title: str | None
    says: str
    subject: str
    citation: Citation | None = None
    notice: NoticeView | None = None
    due_on: date | None = None
    condition: str | None = None
    statements: tuple[StatementView, ...] = ()
    questions: tuple[AskedView, ...] = ()


class AskView(View):
    """Whether a recipient was told, as at a time; the first answer is the strongest."""

    case_key: str
    recipient: str
    name: str
    as_of: datetime
    state: State
    answers: tuple[AnswerView, ...]


class DeliveryView(View):
    """One delivery: a notice, or the withdrawal of one."""

    delivery_id: UUID
    kind: str
    notice_id: UUID
    obligation_id: UUID
    case_key: str
    rule: str
    recipient: str
    state: str
    reason: str | None
    attempts: int
    owed_at: datetime
    next_at: datetime | None
    due_by: datetime | None
    reference: str | None


class DeliveryList(View):
    """A page of deliveries, the oldest first; `next` is the `after` of the next page, none on the last."""

    deliveries: tuple[DeliveryView, ...]
    next: int | None


class FoundView(View):
    """What is known of a fact that a condition asks about, and who said so; `fact` may be `duty holder`, for its area."""

    fact: str
    in_words: str
    statements: tuple[StatementView, ...]


class ConditionView(View):
    """One condition of a rule with its answer (`yes`, `no` or `undecided`) and what is known of its facts.

    `depth` is how deep it stands: the parts of a condition follow it, one deeper.
    """

    depth: int
    says: str
    answer: str
    found: tuple[FoundView, ...]


class BodyView(View):
    """A body by id and name."""

    id: str
    name: str


class DutyView(View):
    """What a rule that holds makes due: whom to tell, within what, in which state; `unserved_areas` have nobody to tell."""

    tell: str
    recipients: tuple[BodyView, ...]
    unserved_areas: tuple[str, ...]
    period: str
    due_on: date | None
    warn_on: date | None
    provisional: bool
    strength: Strength
    period_cite: str
    state: str
    release: str
    stops_when: str


class EditionView(View):
    """An edition of the law; `ends` is absent while it counts, `not_known` is what nobody has found out about it."""

    id: str
    begins: date
    ends: date | None
    says: str
    cite: str
    href: str
    verified: bool
    not_known: str


class RuleView(View):
    """One rule asked about one child, report and duty holder.

    `answer` is `yes`, `no` or `undecided`: the least of its conditions, whether it was in force, and whether the duty
    holder is known. `in_force` says that in words, `editions` under which
    editions of the law it comes, none while the day is not known. `questions` are those that would settle it, or start its clock.
    """

    rule: str
    title: str
    strength: Strength
    answer: str
    subject: str
    duty_holder: BodyView | None
    citation: Citation
    in_force: str
    in_force_answer: str
    editions: tuple[EditionView, ...]
    conditions: tuple[ConditionView, ...]
    duties: tuple[DutyView, ...]
    questions: tuple[AskedView, ...]


class RecipientView(View):
    """A body that a rule names, and whether it is told; if not, `answers` say why not. The first is the strongest."""

    recipient: str
    name: str
    state: State
    state_in_words: str
    answers: tuple[AnswerView, ...]


class ExplanationView(View):
    """Everything about a decision: each rule with its conditions and duties, and each recipient, told or left out.

    `case_key` and `as_of` are absent where the facts are only supposed. `migrations` say by which versions of the rulebook the
    case was decided before. `unnamed` are the registered bodies that no rule
    names in this situation.
    """

    case_key: str | None
    as_of: datetime | None
    rulebook: RulebookRef
    migrations: tuple[MigrationView, ...] = ()
    rules: tuple[RuleView, ...]
    told: tuple[RecipientView, ...]
    left_out: tuple[RecipientView, ...]
    unnamed: tuple[BodyView, ...]
    conflicts: tuple[str, ...]
