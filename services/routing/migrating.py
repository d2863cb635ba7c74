"""Moves a case to another version of the rulebook, because a person asks for it and says why; and says what that changed."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

import structlog

from schemas.decisions import RulebookRef
from services.kit.database import Database
from services.kit.errors import NotFound, Refused
from services.routing.domain import ledger
from services.routing.domain.decide import Obligation
from services.routing.missing import NoSuchRulebook
from services.routing.service import Move, Outcome, RoutingService
from services.routing.store import loading
from services.routing.views import BodyView, View

_log = structlog.get_logger("services.routing.migrating")
Became = Literal["added", "withdrawn", "moved", "met", "changed", "unchanged"]


class NotReleasedHere(Refused):
    """No version of this name counts here."""


class MigratedDutyView(View):
    """What became of one duty; `reason` is why it was withdrawn or is met."""

    obligation_id: UUID
    rule: str
    duty_holder: BodyView
    recipients: tuple[BodyView, ...]
    became: Became
    due_on: date | None
    reason: str | None = None


class MigratedView(View):
    """Cases that were moved together, because they are linked; `before` has the version that each had."""

    case_keys: tuple[str, ...]
    before: dict[str, str]
    rulebook: RulebookRef
    duties: tuple[MigratedDutyView, ...]


class Migrator:
    """Moves cases."""

    def __init__(self, database: Database, service: RoutingService) -> None:
        self._database = database
        self._service = service

    async def migrate(self, case_key: str, move: Move) -> MigratedView:
        """Decide a case and those linked to it again by another version, and return what that changed.

        Raises:
            NotFound: Nothing was decided about such a case.
            NotReleasedHere: There is no such version.
            Conflict: It is decided by that already, or was linked meanwhile.
        """
        async with self._database.connect() as connection:
            [keys] = await loading.linked_sets(connection, [case_key])
            if not await loading.is_decided(connection, case_key):
                raise NotFound("routing knows no such case")
        async with self._database.begin() as tx:
            await tx.lock_cases(keys)
            try:
                outcome = await self._service.migrate(keys, move, tx)
            except NoSuchRulebook as unknown:
                raise NotReleasedHere(str(unknown)) from unknown
        _log.info("case.migrated", case_key=case_key, rulebook=move.to, subject=move.by)
        return _view(outcome)


def _view(outcome: Outcome) -> MigratedView:
    found: dict[UUID, MigratedDutyView] = {}
    known = {each.obligation_id: each for each in outcome.loaded.known.obligations}
    for change in outcome.changes:
        match change:
            case ledger.Opened(obligation_id=identity, obligation=obligation):
                stood = identity in known and known[identity].state == "open"
                found[identity] = _duty(outcome, identity, obligation, "changed" if stood else "added")
            case ledger.Redated(known=before, obligation=obligation):
                moved = before.dates.due_on != obligation.dates.due_on
                found[before.obligation_id] = _duty(
                    outcome, before.obligation_id, obligation, "moved" if moved else "changed"
                )
            case ledger.ReleaseChanged(known=before, obligation=obligation):
                found[before.obligation_id] = _duty(outcome, before.obligation_id, obligation, "changed")
            case ledger.Met(obligation_id=identity, obligation=obligation):
                found[identity] = _duty(outcome, identity, obligation, "met", obligation.standing.reason)
            case ledger.Closed(obligation_id=identity, reason=reason) if identity in known:
                found[identity] = _stood(outcome, known[identity], "withdrawn", reason)
            case _:
                pass
    for each in known.values():
        if each.state == "open" and each.obligation_id not in found:
            found[each.obligation_id] = _stood(outcome, each, "unchanged")
    return MigratedView(
        case_keys=outcome.loaded.case_keys,
        before=dict(outcome.before),
        rulebook=outcome.law.rulebook,
        duties=tuple(sorted(found.values(), key=lambda duty: (duty.became, duty.rule, str(duty.obligation_id)))),
    )


def _duty(
    outcome: Outcome, identity: UUID, obligation: Obligation, became: Became, reason: str | None = None
) -> MigratedDutyView:
    return MigratedDutyView(
        obligation_id=identity,
        rule=obligation.rule.id,
        duty_holder=_body(outcome, obligation.slot.duty_holder),
        recipients=tuple(_body(outcome, each) for each in obligation.recipients),
        became=became,
        due_on=obligation.dates.due_on,
        reason=reason,
    )


def _stood(
    outcome: Outcome, known: ledger.KnownObligation, became: Became, reason: str | None = None
) -> MigratedDutyView:
    return MigratedDutyView(
        obligation_id=known.obligation_id,
        rule=known.slot.rule,
        duty_holder=_body(outcome, known.slot.duty_holder),
        recipients=tuple(_body(outcome, each) for each in known.recipients),
        became=became,
        due_on=None if became == "withdrawn" else known.dates.due_on,
        reason=reason,
    )


def _body(outcome: Outcome, identifier: str) -> BodyView:
    return BodyView(id=identifier, name=outcome.law.register.name(identifier))
