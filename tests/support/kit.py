"""A service made of nothing but the kit, on a fresh PostgreSQL database: role, schema and tables as migrations make them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from schemas.case_events import BecameAware, BecameAwareData, Reporter
from services.kit.database import Database
from services.kit.migrate import migrate_all
from tests.support.stack import fresh_database

SERVICE = "kit"
PASSWORD = "kit-test-password"
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
_NAMES = UUID("00000000-0000-4000-8000-000000000000")


def migrated() -> str:
    """Return the URL with which the kit's service logs in to a new database."""
    address = fresh_database("kit")
    migrate_all(address.url(), {SERVICE: PASSWORD}, services=Path(__file__).parent / "kit_service")
    return f"postgresql://handrail_{SERVICE}:{PASSWORD}@{address.host}:{address.port}/{address.database}"


def database(url: str, *, quarantine_key: str | None = None) -> Database:
    """Open the service's database."""
    return Database(url, SERVICE, quarantine_key=quarantine_key)


def case(number: int) -> str:
    """Return an invented case key."""
    return f"{number:032x}"


def aware(name: str, case_key: str) -> BecameAware:
    """Return an invented message about a case; the same name, the same id."""
    return BecameAware(
        id=uuid5(_NAMES, name),
        source="/tests",
        time=NOON,
        recorded_at=NOON,
        case_key=case_key,
        data=BecameAwareData(
            reporter=Reporter(client="test-client", body="local_authority", area="E08000035"),
            aware_on=NOON.date(),
            how=name,
        ),
    )
