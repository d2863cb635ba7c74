"""Reading the content of a notice under a grant: verified, cut to the profile, and logged in the same transaction.

A grant is made by routing for one notice and one recipient. It can no longer be used once the notice is withdrawn. What it
names is given as it stands now, also where that was put right in a case that was linked since; of such a case nothing else is.
The read is logged before anything is given: who, when, why, which fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from schemas.bodies import Bodies
from schemas.calendar.london import london_date
from schemas.case_events import CaseData, Reporter
from schemas.submission import name_now
from schemas.submissions import FactCorrected
from schemas.vocabulary import load
from services.intake.domain.content import REFERENCE, Asker, Content, Said, disclose
from services.intake.domain.personal import plain
from services.intake.domain.problems import Refusal
from services.intake.domain.stated import Told, about_report, by_mistake, made_by_mistake, of_cases, standing
from services.intake.domain.translate import child_refs, translate
from services.intake.keeping import left_out, open_item, open_whole
from services.intake.reading import Reader
from services.intake.store import access, cases, clients, personal, submissions
from services.intake.vault import Vault, VaultRefused
from services.kit.clock import Clock
from services.kit.errors import Forbidden, NotFound, NotSignedIn, Unavailable
from services.kit.transaction import Transaction

ISSUER: Final = "handrail-routing"
AUDIENCE: Final = "handrail-intake"
_PERSONAL: Final = "personal."


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be read.

    `subject` is `incident`, a child key, the key of another item, or the id of the report that the notice is about.
    """

    notice_id: UUID
    recipient: str
    participant: str | None
    case_keys: tuple[str, ...]
    subject: str
    profile: str
    purpose: str
    give: Mapping[str, str]


class Grants:
    """Verifies grants with routing's public key, by the wall clock."""

    def __init__(self, public_key_file: Path, clock: Clock) -> None:
        self._key = OKPKey.import_key(public_key_file.read_bytes())
        self._clock = clock

    def verify(self, token: str) -> Grant:
        """Return what a token grants.

        Raises:
            NotSignedIn: It is not routing's, was altered, or has expired. Which of these is not told.
        """
        try:
            claims = jwt.decode(token, self._key, algorithms=["Ed25519"]).claims
            if (
                claims["iss"] != ISSUER
                or claims["aud"] != AUDIENCE
                or claims["exp"] <= self._clock.wall_now().timestamp()
            ):
                raise NotSignedIn
            return _grant(claims)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise NotSignedIn from None


def _grant(claims: dict[str, Any]) -> Grant:
    participant = claims.get("participant")
    return Grant(
        notice_id=UUID(claims["jti"]),
        recipient=str(claims["sub"]),
        participant=str(participant) if participant else None,
        case_keys=tuple(map(str, claims["case_keys"])),
        subject=str(claims["subject"]),
        profile=str(claims["profile"]),
        purpose=str(claims["purpose"]),
        give={name_now(str(name)): str(how) for name, how in claims["give"].items()},
    )


class Contents:
    """Gives the content of notices."""

    def __init__(self, reader: Reader, vault: Vault, bodies: Bodies, pseudonym_key: bytes) -> None:
        self._reader = reader
        self._bodies = bodies
        self._vault = vault
        self._key = pseudonym_key

    async def read(self, grant: Grant, tx: Transaction) -> Content:
        """Return what the grant gives, and log that it was read; both stand when `tx` commits.

        Raises:
            NotFound: None of its cases is here, or not the report that the notice is about.
            Forbidden: The notice was withdrawn, or is addressed to somebody else.
        """
        await _check_notice(grant, tx)
        kept = await submissions.of_cases(tx.connection, grant.case_keys)
        if not kept:
            raise NotFound
        linked = await cases.linked(tx.connection, grant.case_keys)
        kept += await submissions.corrections(tx.connection, linked.difference(grant.case_keys))
        known = await cases.children(tx.connection, linked)
        told = of_cases(grant.case_keys, await self._told(kept, known, tx))
        children = {place: child for place, child in known.items() if place[0] in grant.case_keys}
        only_child = None
        if "-" in grant.subject:  # an event's id: keys are hexadecimal digits alone
            report = next((one for one in told if str(one.event_id) == grant.subject), None)
            if report is None:  # the database was restored, and the report has not come again
                raise NotFound
            told = about_report(report, told)
            children = {place: child for place, child in children.items() if place[0] == report.case_key}
        elif grant.subject != "incident":
            only_child = grant.subject
        case_keys = sorted({one.case_key for one in told}.intersection(grant.case_keys))
        gone = by_mistake(told)
        references = [Said(case_key, REFERENCE, child, child) for (case_key, _), child in children.items()]
        facts = self._facts(told, grant.subject, tx)
        said = [*facts, *references, *await self._personal(grant, told, case_keys, frozenset(children.values()), tx)]
        still = [one for one in said if one.child not in gone]
        content = disclose(still, grant.give, Asker(grant.recipient, grant.participant, self._key), only_child)
        await access.log(
            tx.connection,
            read_at=tx.now,
            recipient=grant.recipient,
            participant=grant.participant,
            notice_id=grant.notice_id,
            profile=grant.profile,
            purpose=grant.purpose,
            case_keys=case_keys,
            fields=content.fields,
        )
        return content

    async def _told(
        self, kept: list[submissions.Kept], children: Mapping[tuple[str, bytes], str], tx: Transaction
    ) -> list[Told]:
        """Read again what was reported."""
        known = await clients.by_name(tx.connection, {one.client for one in kept}, revoked=True)
        of_case = {one.event_id: one.case_key for one in kept}
        return [
            Told(
                one.case_key,
                one.event_id,
                one.type,
                one.occurred_at,
                one.recorded_at,
                self._data(one, known[one.client].reporter, children, of_case, tx.now),
                one.about,
            )
            for one in kept
        ]

    def _facts(self, told: list[Told], subject: str, tx: Transaction) -> list[Said]:
        """Return what of it stands; of an item only if the notice is about it."""
        in_place_of = partial(self._bodies.in_place_of, on=london_date(tx.now))
        facts = standing(told, self._reader.vocabulary, in_place_of, subject)
        return [Said(fact.told.case_key, fact.field, fact.child, fact.value) for fact in facts]

    def _data(
        self,
        one: submissions.Kept,
        reporter: Reporter,
        children: Mapping[tuple[str, bytes], str],
        of_case: Mapping[UUID, str],
        now: datetime,
    ) -> CaseData:
        """Return what an event's case event says, or only who told if it cannot be read any more."""
        try:
            submitted = self._reader.understand(open_whole(self._vault, one), "http", now)
        except Refusal:  # encrypted to a key that is no more: what the vault has of it is still given
            return CaseData(reporter=reporter)
        except VaultRefused:  # damaged: the same
            left_out(one.case_key, one.event_id)
            return CaseData(reporter=reporter)
        data = submitted.data
        # A correction names a child as the case of the event that it corrects does, if that case is among these.
        case_key = of_case.get(data.corrects, one.case_key) if isinstance(data, FactCorrected) else one.case_key
        digests = {ref: self._reader.child_digest(ref) for ref in child_refs(data)}
        keys = {ref: children.get((case_key, each)) or children[one.case_key, each] for ref, each in digests.items()}
        about = self._reader.item_key(one.case_key, data, one.event_id)
        return translate(submitted, reporter, keys, None, about)

    async def _personal(
        self, grant: Grant, told: list[Told], case_keys: list[str], children: frozenset[str], tx: Transaction
    ) -> list[Said]:
        """Open what the profile names: of the incident and its children, and of the one item that the notice is about."""
        wanted = [name.removeprefix(_PERSONAL) for name in grant.give if name.startswith(_PERSONAL)]
        if not wanted:
            return []
        events = {one.event_id for one in told} - made_by_mistake(told)
        wrapped = await personal.wrapped_keys(tx.connection, case_keys)
        kinds = load().personal
        return [
            Said(
                item.case_key,
                _PERSONAL + item.field,
                item.child_key if item.child_key in children else "",
                plain(kinds[_PERSONAL + item.field].kind, text),
            )
            for item in await personal.items(tx.connection, case_keys, wanted)
            if item.event_id in events and item.child_key in {"", grant.subject, *children}
            for text in (open_item(self._vault, wrapped.get((item.case_key, item.child_key)), item),)
            if text is not None
        ]


async def _check_notice(grant: Grant, tx: Transaction) -> None:
    """Check the grant against what routing announced, which an outdated or mistaken grant cannot know."""
    notice = await access.notice(tx.connection, grant.notice_id)
    if notice is None:  # not announced to us yet: the grant alone speaks
        return
    if notice.recipient != grant.recipient:
        raise Forbidden("This grant is not for the recipient of the notice.")
    if notice.state == "withdrawn":
        raise Forbidden("The notice was withdrawn, so its content is no longer given.")
    if notice.state == "awaiting_release":
        # Not for good: a release may be on its way to us while its recipient already asks.
        raise Unavailable("The notice awaits a named person's decision. If it was released a moment ago, try again.")
