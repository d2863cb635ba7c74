"""Deciding: what one batch of case events leads to, in one transaction, set-based.

New facts are kept, every set of linked cases that the batch touches is decided once, compared with what stands, and the
difference is saved and published. The caller (the kit's consume path) holds all cases of the sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.case_events import CaseEvent, CaseLinked
from schemas.decisions import RulebookMigrated
from services.kit import reach
from services.kit.codec import Event
from services.kit.errors import Conflict
from services.kit.transaction import Transaction
from services.routing.domain import ledger
from services.routing.domain.decide import Decision
from services.routing.domain.diff import diff, homes
from services.routing.domain.facts_of import facts_of
from services.routing.domain.happenings import InPlaceOf
from services.routing.domain.happenings_of import Told, acceptances, answers_nothing, told_by
from services.routing.domain.replay import following, rounds, rulebooks
from services.routing.law import Law
from services.routing.laws import Laws
from services.routing.outcome.changes import still_open, take
from services.routing.outcome.duties import conclude, migrated
from services.routing.outcome.gathered import CORRECTED, Gathered, Occasion, message_id
from services.routing.outcome.notices import accepted
from services.routing.store import loading, recalling, saving, texts
from services.routing.store.loading import Loaded, Said

_LINKED: Final = "linked with a case that is decided by it"
_RESTORED: Final = "decided by it before the database was restored"


@dataclass(frozen=True, slots=True)
class Move:
    """That a person wants a case to be decided by another version from now on: `by` is the account, `reason` names nobody."""

    to: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of linked cases as they were moved to another law; `before` has the version that each had."""

    loaded: Loaded
    law: Law
    before: Mapping[str, str]
    revisions: Mapping[str, int]
    changes: Sequence[ledger.Change]


class RoutingService:
    """Decides each case by the law that it was decided by before, and a new one by the newest."""

    def __init__(self, laws: Laws) -> None:
        self._laws = laws

    async def linked_keys(self, events: Sequence[Event], connection: AsyncConnection) -> Iterable[str]:
        """Return every case that must be held to decide these events: linked ones, and those of notices they answer."""
        messages = [event.message for event in events]
        named = await loading.cases_of(connection, _named_ids(messages))
        # An event without a case is left to `route`, which fails on it alone: this question is put to a whole batch.
        keys = {message.case_key for message in messages if message.case_key} | set(named.values())
        keys |= {message.data.linked_case_key for message in messages if isinstance(message, CaseLinked)}
        return {key for members in await loading.linked_sets(connection, keys) for key in members}

    async def route(self, events: Sequence[Event], tx: Transaction) -> None:
        """Keep what the events say, decide their cases again, and save and publish what that changes."""
        await self._laws.look()
        messages: list[CaseEvent] = [event.message for event in events]
        said = await loading.published(tx.connection, {each.case_key or "" for each in messages})
        place = rounds([(each.id, each.case_key or "") for each in messages], said.decided)
        for number in sorted(set(place.values())):
            await self._route([each for each in messages if place[each.id] == number], tx)

    async def _route(self, messages: Sequence[CaseEvent], tx: Transaction) -> None:
        cases = await self._keep(messages, tx.connection)
        causes: defaultdict[str, list[UUID]] = defaultdict(list)
        for message in messages:
            causes[cases[message.id]].append(message.id)
        arrived = {message.id: place for place, message in enumerate(messages)}
        sets = await loading.load(tx.connection, causes.keys(), self._laws.vocabulary)
        held = {key for loaded in sets for key in loaded.case_keys}
        said = await loading.published(tx.connection, held)
        found = Gathered()
        for loaded in sets:
            event_ids = [event_id for key in loaded.case_keys for event_id in causes.get(key, ())]
            event_ids.sort(key=arrived.__getitem__)
            self._decide(loaded, tuple(event_ids), said, tx.now, found)
        await self._save(found, said, tx)

    async def _keep(self, messages: Sequence[CaseEvent], connection: AsyncConnection) -> dict[UUID, str]:
        """Append facts, happenings, links and who reported; return the case that each event is about, by event id."""
        told = {message.id: each for message in messages if (each := told_by(message)) is not None}
        named = await loading.cases_of(connection, _named_ids(messages))
        cases = {message.id: _case_of(message, told.get(message.id), named) for message in messages}
        links = [
            {
                "case_key": message.case_key,
                "linked_case_key": message.data.linked_case_key,
                "event_id": message.id,
                "recorded_at": message.recorded_at,
            }
            for message in messages
            if isinstance(message, CaseLinked)
        ]
        await saving.keep(
            connection,
            facts=[fact for message in messages for fact in facts_of(message, self._laws.vocabulary)],
            told=[(cases[event_id], each) for event_id, each in told.items()],
            links=links,
            parties=reach.made_by(messages),
        )
        return cases

    async def migrate(self, case_keys: Collection[str], move: Move, tx: Transaction) -> Outcome:
        """Decide linked cases, which the transaction holds, again by another version of the rulebook.

        Raises:
            NoSuchRulebook: That version does not count here.
            Conflict: They are decided by it already, or cases were linked with them meanwhile.
        """
        await self._laws.look()
        law = self._laws.of(move.to)
        [loaded] = await loading.load(tx.connection, case_keys, self._laws.vocabulary)
        if not {*loaded.case_keys} <= {*case_keys}:
            raise Conflict("another case was linked with it meanwhile: try again")
        before = {key: version for key, version in loaded.rulebooks.items() if version != law.rulebook.version}
        if not before:
            raise Conflict(f"the case is decided by rulebook {move.to} already")
        said = await loading.published(tx.connection, loaded.case_keys)
        revisions = following(loaded.revisions, said.decided, ())
        causes = tuple(message_id(RulebookMigrated, key, loaded.case_keys, revisions) for key in before)
        found = Gathered()
        changes = self._decide(loaded, causes, said, tx.now, found, move)
        await self._save(found, said, tx)
        return Outcome(loaded, law, before, revisions, changes)

    async def decide_again(self, case_keys: Collection[str], tx: Transaction, because: str) -> bool:
        """Decide linked cases, which the transaction holds, again without an event; `because` says what moves dates.

        Return whether that changed anything; what changes nothing leaves no trace but with which calendar it was counted.
        """
        await self._laws.look()
        [loaded] = await loading.load(tx.connection, case_keys, self._laws.vocabulary)
        if not {*loaded.case_keys} <= {*case_keys}:
            return False  # the event that linked another case decides them
        said = await loading.published(tx.connection, loaded.case_keys)
        found = Gathered()
        changed = bool(self._decide(loaded, (), said, tx.now, found, because=because))
        if changed:
            await self._save(found, said, tx)
        await saving.counted(tx.connection, loaded.case_keys, self._laws.newest.calendar_ref)
        return changed

    async def _save(self, found: Gathered, said: Said, tx: Transaction) -> None:
        await texts.keep(tx.connection, found.rulebooks, tx.now)
        await saving.save(tx.connection, found, reach.made_by(outgoing for _, outgoing in found.messages))
        await recalling.recall(tx.connection, said.tried)
        for topic, outgoing in found.messages:
            tx.emit(topic, outgoing)

    def _decide(
        self,
        loaded: Loaded,
        causes: tuple[UUID, ...],
        said: Said,
        now: datetime,
        found: Gathered,
        move: Move | None = None,
        because: str = CORRECTED,
    ) -> Sequence[ledger.Change]:
        """Decide one set of linked cases, gather what that changes, and return it."""
        revisions = following(loaded.revisions, said.decided, causes)
        own = rulebooks(loaded.revisions, loaded.rulebooks, said.rulebooks, revisions)
        law = self._laws.of(move.to) if move else self._laws.of_case(own)
        moved = {key: each for key, each in loaded.rulebooks.items() if each != law.rulebook.version}
        found.rulebooks[law.rulebook.sha256] = law.text
        decision = law.decide(loaded.facts, loaded.told, loaded.known, now)
        occasion = Occasion(
            now=now,
            case_keys=loaded.case_keys,
            reporters=loaded.reporters,
            revisions=revisions,
            event_ids=causes,
            causation_id=causes[-1] if causes else None,
            rulebook=law.rulebook,
            calendar=law.calendar_ref,
            partnership=decision.partnership,
            name_of=law.register.name,
            because=f"the case is now decided by rulebook {law.rulebook.version}" if moved else because,
        )
        for key, before in moved.items():
            why = move.reason if move else _LINKED if len(loaded.case_keys) > 1 else _RESTORED
            migrated(found, key, before, why, move.by if move else None, occasion)
        if loaded.known.notices:
            found.told_before.update(loaded.case_keys)
            if len(loaded.case_keys) > 1:
                found.delivery_linked(loaded.case_keys)
        in_place_of = decision.evaluation.facts.in_place_of
        known = _accept(loaded, in_place_of, occasion, found)
        changes = self._changes(loaded, known, decision)
        for change in changes:
            take(found, change, occasion, decision)
        unfounded = answers_nothing(loaded.told, loaded.known, in_place_of)
        conclude(found, decision, still_open(known, changes), occasion, unfounded)
        return changes

    def _changes(self, loaded: Loaded, known: ledger.Known, decision: Decision) -> Sequence[ledger.Change]:
        spoken = loading.firsts(loaded.facts) or [("incident", loaded.case_keys[0])]
        return diff(known, decision, homes(spoken))


def _accept(loaded: Loaded, in_place_of: InPlaceOf, occasion: Occasion, found: Gathered) -> ledger.Known:
    """Gather acceptances that are new; return what stands with them."""
    new = dict(acceptances(loaded.told, loaded.known, in_place_of))
    notices = []
    for notice in loaded.known.notices:
        if notice.notice_id in new:
            accepted(found, notice, new[notice.notice_id], occasion)
            notices.append(ledger.accepted(notice))
        else:
            notices.append(notice)
    return ledger.Known(loaded.known.obligations, loaded.known.questions, tuple(notices))


def _named_ids(messages: Iterable[CaseEvent]) -> set[UUID]:
    told = [each for message in messages if (each := told_by(message)) is not None]
    return {identity for each in told for identity in (each.notice_id, each.obligation_id) if identity is not None}


def _case_of(message: CaseEvent, told: Told | None, named: dict[UUID, str]) -> str:
    """Return the case that an event is about: that of the notice or obligation which it names, else its own."""
    named_id = told and (told.notice_id or told.obligation_id)
    case_key = named.get(named_id) if named_id else None
    return case_key or message.case_key or ""
