"""Seals what a batch keeps: every submission whole under a key of its own, and personal fields under keys per case and child."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from services.intake.domain.cloudevent import RawEvent, unkept
from services.intake.domain.personal import PersonalField
from services.intake.store.personal import Item
from services.intake.store.submissions import Kept
from services.intake.vault import Place, Vault, VaultRefused

_UNOPENED: Final = Counter(
    "handrail_vault_unopened_items", "Fields and events that were left out because their key does not open them"
)
_log = structlog.get_logger("services.intake.keeping")


def seal_whole(vault: Vault, case_key: str, event_id: UUID, raw: RawEvent) -> tuple[bytes, bytes]:
    """Return the wrapped key and the ciphertext of everything the partner sent. `case_key` is empty if it has no case."""
    key, wrapped = vault.new_key(case_key, _whole(event_id))
    return wrapped, vault.seal(key, raw.kept(), Place(case_key, _whole(event_id), "submission", "1"))


def open_whole(vault: Vault, kept: Kept) -> RawEvent:
    """Return what the partner sent.

    Raises:
        VaultRefused: The row was altered or moved.
    """
    whole = _whole(kept.event_id)
    key = vault.unwrap(kept.wrapped_key, kept.case_key, whole)
    return unkept(vault.open(key, kept.sealed, Place(kept.case_key, whole, "submission", "1")))


def _whole(event_id: UUID) -> str:
    return f"event:{event_id}"


class Keeping:
    """The personal fields of one batch."""

    def __init__(self, vault: Vault, wrapped: Mapping[tuple[str, str], bytes]) -> None:
        self._vault = vault
        self._wrapped = wrapped
        self._keys: dict[tuple[str, str], bytes] = {}
        self.new_keys: dict[tuple[str, str], bytes] = {}
        self.items: list[Item] = []

    def keep(self, event_id: UUID, case_key: str, child_key: str, said: PersonalField) -> None:
        """Seal one field of one event; `child_key` is empty for what is about the incident."""
        place = Place(case_key, child_key, said.field, str(event_id))
        sealed = self._vault.seal(self._key(case_key, child_key), said.value.encode(), place)
        self.items.append(Item(event_id, case_key, child_key, said.field, sealed))

    def _key(self, case_key: str, child_key: str) -> bytes:
        place = (case_key, child_key)
        if place not in self._keys:
            wrapped = self._wrapped.get(place)
            if wrapped is None:
                self._keys[place], self.new_keys[place] = self._vault.new_key(*place)
            else:
                self._keys[place] = self._vault.unwrap(wrapped, *place)
        return self._keys[place]


def open_item(vault: Vault, wrapped: bytes | None, item: Item) -> str | None:
    """Return one field of the vault; None if it was erased: its key was destroyed, and perhaps another made since.

    Raises:
        VaultRefused: The row of the key was altered or moved, or the vault has another key.
    """
    if wrapped is None:
        return None
    key = vault.unwrap(wrapped, item.case_key, item.child_key)
    place = Place(item.case_key, item.child_key, item.field, str(item.event_id))
    try:
        return vault.open(key, item.sealed, place).decode()
    except VaultRefused:  # a row that was altered cannot be told from one that was sealed under an earlier key
        left_out(item.case_key, item.event_id)
        return None


def left_out(case_key: str, event_id: UUID) -> None:
    """Count and log what was left out because its key does not open it."""
    _UNOPENED.inc()
    _log.error("intake.item_not_opened", case_key=case_key, event_id=str(event_id))
