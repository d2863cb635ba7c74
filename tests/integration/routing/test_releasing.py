"""A release of the rulebook is taken by a service that runs, announced once, and cannot become another."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from handrail.embedded.postgres import DatabaseAddress
from schemas import topics
from schemas.decisions import CaseDecided, RulebookReleased
from schemas.messages import AnyMessage, parse
from services.routing.announcing import Announcer
from services.routing.checking import Report
from services.routing.domain.rulebook.release import Release
from services.routing.laws import FolderOfLaws
from services.routing.releasing import release
from tests.support.eventually import eventually
from tests.support.kit_kafka import begin_after_others, read_all
from tests.support.kit_kafka import settings as admin_settings
from tests.support.publishing import publish
from tests.support.releases import APPROVER, AT, AUTHOR, FIRST, SECOND, draft, released, rulebooks
from tests.support.road import Road, of
from tests.support.routing import reported
from tests.support.routing_app import app, client
from tests.support.stack import SERVICE_PASSWORDS, stack


def forget(record: Release) -> None:
    Path(record.file).unlink()


def released_without_its_file(folder: Path) -> tuple[Path, str]:
    file = Path(released(folder).file).with_suffix(".yaml")
    text = file.read_text("utf-8")
    file.unlink()
    return file, text


def put_back(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")


def digest_of(record: Release) -> str:
    return sha256(Path(record.file).read_bytes()).hexdigest()


async def decisions(*cases: str) -> list[AnyMessage]:
    """Return releases and what was decided about some cases: the run's topics are shared, and hold what no service wrote."""
    records = await read_all(admin_settings("postgresql://unused@127.0.0.1/unused"), topics.DECISIONS)
    keys = {case.encode() for case in cases}
    return [parse(each.value) for each in records if each.key in keys or b'"rulebook.released.v1"' in each.value]


@pytest.mark.usefixtures("road")
async def test_a_service_that_runs_takes_a_release_and_an_earlier_case_keeps_its_version(
    address: DatabaseAddress, tmp_path: Path
) -> None:
    folder, kafka = rulebooks(tmp_path), stack().kafka
    old, new = (sha256(f"{name} {tmp_path}".encode()).hexdigest()[:32] for name in ("old", "new"))
    application = app(
        address,
        kafka_bootstrap=kafka.bootstrap,
        kafka_security=kafka.security_protocol,
        kafka_ca_file=kafka.ca_file,
        rulebooks=folder,
    )
    await begin_after_others(address.url(user="handrail_routing", password=SERVICE_PASSWORDS["routing"]), "routing")
    async with client(application, "auditor") as http, application.router.lifespan_context(application):

        async def version(case_key: str) -> tuple[str, int] | None:
            found = (await http.get(f"/v1/cases/{case_key}/decisions")).json()
            return (found["rulebook"]["version"], found["revision"]) if "rulebook" in found else None

        async def reaches(case_key: str, expected: tuple[str, int]) -> None:
            async def there() -> bool:
                return await version(case_key) == expected

            await eventually(there, f"the case is decided by {expected}")

        await publish(reported(case_key=old))
        await reaches(old, (FIRST, 1))
        found = released(folder)
        await publish(reported(case_key=new), reported(case_key=old))
        await reaches(new, (SECOND, 1))
        await reaches(old, (FIRST, 2))

        async def announced() -> bool:
            taken = of(RulebookReleased, await decisions())
            return [each.data.rulebook.sha256 for each in taken] == [found.sha256]

        async def published() -> bool:
            taken = of(CaseDecided, await decisions(old, new))
            versions = sorted((each.data.revision, each.case_key, each.data.rulebook.version) for each in taken)
            return versions == sorted([(1, old, FIRST), (1, new, SECOND), (2, old, FIRST)])

        await eventually(announced, "the release is published once")
        await eventually(published, "each decision is published, by the rulebook of its case")


async def test_a_release_is_announced_once_by_whichever_process_and_names_nobody(road: Road, tmp_path: Path) -> None:
    folder = rulebooks(tmp_path)
    one, other = (Announcer(road.database, FolderOfLaws(folder)) for _ in range(2))
    await one.step()
    found = released(folder)

    await one.step()
    await other.step()
    await one.step()

    [message] = await road.published()
    assert isinstance(message, RulebookReleased)
    assert (message.data.rulebook.version, message.data.rulebook.approved) == (SECOND, True)
    assert (message.data.supersedes, message.data.released_at) == (FIRST, AT)
    assert message.data.record_sha256 == digest_of(found)
    assert AUTHOR.encode() not in message.wire()
    assert APPROVER.encode() not in message.wire()
    assert await one.unready() is None


async def test_a_folder_without_a_release_that_was_taken_before_makes_the_process_unready(
    road: Road, tmp_path: Path
) -> None:
    """As when the service is started again without the setting that names the folder: the old law would count for new cases."""
    folder = rulebooks(tmp_path)
    released(folder)
    await Announcer(road.database, FolderOfLaws(folder)).step()
    shipped = Announcer(road.database, FolderOfLaws())

    with capture_logs() as logged:
        await shipped.step()

    assert f"rulebook {SECOND} was taken, and is not here" in str(await shipped.unready())
    assert [one["rulebook"] for one in logged if one["event"] == "rulebook.refused"] == [SECOND]


async def test_a_release_whose_files_are_not_there_yet_makes_the_process_unready_until_they_are(
    road: Road, tmp_path: Path
) -> None:
    folder = rulebooks(tmp_path)
    announcer = Announcer(road.database, FolderOfLaws(folder, retry_s=0))
    missing = released_without_its_file(folder)

    await announcer.step()
    assert f"england/{SECOND}.yaml, a part of this release, is missing" in str(await announcer.unready())
    put_back(*missing)
    await announcer.step()

    assert await announcer.unready() is None
    assert [type(each) for each in await road.published()] == [RulebookReleased]


def released_otherwise(before: Release, folder: Path) -> Release:
    forget(before)
    draft(folder, SECOND, ("owner: Safeguarding policy team ", "owner: Somebody else "))
    return release(SECOND, AUTHOR, APPROVER, AT, folder, lambda _file, _folder: Report(0, 0, 0, 0))


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_release_that_has_become_another_is_noticed_until_it_is_put_back(
    road: Road, tmp_path: Path, *, restarted: bool
) -> None:
    folder = rulebooks(tmp_path)
    first = released(folder)
    announcer = Announcer(road.database, FolderOfLaws(folder))
    await announcer.step()
    other = released_otherwise(first, folder)
    if restarted:
        announcer = Announcer(road.database, FolderOfLaws(folder))

    with capture_logs() as logged:
        await announcer.step()
        await announcer.step()

    assert await announcer.unready() == f"rulebook {SECOND} is another than the one that was taken: put its files back"
    assert [each["rulebook"] for each in logged if each["event"] == "rulebook.refused"] == [SECOND]

    forget(other)
    released(folder)
    await announcer.step()

    assert await announcer.unready() is None
    assert [type(each) for each in await road.published()] == [RulebookReleased]
