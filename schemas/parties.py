"""The parties to a case: the clients that report it, the bodies that owe a duty in it, and those whom it tells. Pure.

A body is named as in the register (`la:E08000035`), a client as `client:<name>`. A notice that awaits a person's release
has told nobody yet, so its recipient is no party; nor is whoever would merely be told if a rule applied. Who has once
been a party stays one.
"""

from __future__ import annotations

from typing import Final

from schemas.case_events import CaseData
from schemas.decisions import CaseDecidedData, ObligationOpenedData
from schemas.deliveries import NoticeData, NoticeOwedData, NoticeSupersededData, NoticeWithdrawnData
from schemas.envelope import Envelope

CLIENT: Final = "client:"


def client_party(name: str) -> str:
    """Return the party that a client is."""
    return f"{CLIENT}{name}"


def parties_of(message: Envelope) -> frozenset[str]:
    """Return the parties that a message makes to the case that it is about; most messages make none."""
    match getattr(message, "data", None):
        case CaseData(reporter=reporter):
            return frozenset({client_party(reporter.client)})
        case CaseDecidedData(reporters=reporters):
            return frozenset(map(client_party, reporters))
        case ObligationOpenedData(duty_holder=holder):
            return frozenset({holder})
        case NoticeOwedData(released=False) | NoticeWithdrawnData() | NoticeSupersededData():
            return frozenset()
        case NoticeData(recipient=recipient):
            return frozenset({recipient})
        case _:
            return frozenset()
