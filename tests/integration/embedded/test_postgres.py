"""Pins what the embedded PostgreSQL promises: a password always, data kept, nothing left behind."""

import asyncio
import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from handrail.embedded import postgres
from handrail.embedded.errors import EmbeddedError, FolderInUse, PortTaken
from handrail.embedded.postgres import DatabaseAddress, EmbeddedPostgres
from handrail.embedded.process import Account


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a space in its name that another account can reach."""
    with tempfile.TemporaryDirectory(prefix="handrail test ") as path:
        Path(path).chmod(0o711)
        yield Path(path, "postgres")


def ask(url: str, query: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_data_and_password_survive_a_restart_on_the_same_port(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    first = server.start()
    ask(first.url(), "CREATE TABLE kept AS SELECT 7 AS number")
    server.stop()

    second = server.start()
    kept = ask(second.url(), "SELECT number FROM kept")
    server.stop()

    assert second == first
    assert kept == 7


def test_data_survives_a_killed_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    address = server.start()
    ask(address.url(), "CREATE TABLE kept AS SELECT 7 AS number")
    assert server.pid is not None
    killed = psutil.Process(server.pid)
    killed.kill()
    psutil.wait_procs([killed], timeout=10)
    server.stop()

    server.start()
    kept = ask(address.url(), "SELECT number FROM kept")
    server.stop()

    assert kept == 7


def test_a_killed_server_whose_number_another_program_has_by_now_starts_again(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    pid_file = (server.outside or folder / "cluster") / "postmaster.pid"
    assert server.pid is not None
    psutil.Process(server.pid).kill()
    server.stop()
    user = postgres._unprivileged_account().uid if os.geteuid() == 0 else None  # the server's own

    with subprocess.Popen(["/bin/sleep", "60"], user=user) as other:
        pid_file.write_text(f"{other.pid}\n{pid_file.read_text().partition(chr(10))[2]}")
        try:
            assert ask(server.start().url(), "SELECT 1") == 1
        finally:
            server.stop()
            other.kill()


def test_a_wrong_password_is_refused(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    address = server.start()

    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(address.url(password="guessed"), "SELECT 1")
    server.stop()


def test_it_listens_on_loopback_alone(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    assert server.pid is not None

    listening = [c.laddr.ip for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    server.stop()

    assert listening == ["127.0.0.1"]


def test_the_password_file_is_for_its_owner_alone(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    server.start()
    server.stop()

    assert (folder / "superuser.password").stat().st_mode & 0o777 == 0o600


def test_a_taken_port_gets_one_line_that_names_it(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(
            PortTaken, match=f"PostgreSQL cannot use port {port}: another program listens there.*--port 0"
        ):
            EmbeddedPostgres(folder, port=port).start()


def test_two_servers_never_share_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handrail.embedded.process.LOCK_WAIT_S", 0.2)
    server = EmbeddedPostgres(folder)
    server.start()

    with pytest.raises(FolderInUse, match="already running"):
        EmbeddedPostgres(folder).start()
    server.stop()


@pytest.mark.parametrize("reachable", [True, False])
def test_it_starts_from_a_folder_that_another_account_cannot_enter(
    *, reachable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root the server runs under another account, from copies where that account cannot enter; else it is simply ours."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with tempfile.TemporaryDirectory(prefix="handrail-home-") as home:
        Path(home).chmod(0o711)
        monkeypatch.setattr(postgres, "_ROOT_HOME", Path(home))
        if not reachable:
            reaches = postgres._reaches
            monkeypatch.setattr(
                postgres, "_reaches", lambda account, path: "site-packages" not in str(path) and reaches(account, path)
            )
        server = EmbeddedPostgres(private / "postgres")
        address: DatabaseAddress = server.start()
        assert server.pid is not None
        owner, program = psutil.Process(server.pid).uids().effective, psutil.Process(server.pid).exe()
        assert ask(address.url(), "SELECT 1") == 1
        server.remove_data()

        if os.geteuid() == 0:
            assert owner != 0
            # A checkout in a private folder is not reachable, whatever is asked for.
            ours = postgres._reaches(postgres._unprivileged_account(), postgres.wheel_binaries() / "postgres")
            assert Path(program).is_relative_to(home) is not (reachable and ours)
        else:
            assert owner == os.geteuid()
        assert not (private / "postgres").exists()
        assert not list(Path(home).glob("data/*"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where root keeps what another account must reach, for one test; as anybody else it stays empty."""
    with tempfile.TemporaryDirectory(prefix="handrail-home-") as path:
        Path(path).chmod(0o711)
        monkeypatch.setattr(postgres, "_ROOT_HOME", Path(path))
        root = Path(tempfile.gettempdir())
        for each in tmp_path.parents:  # one more of them in a worker of xdist
            if each.is_relative_to(root) and each != root:
                each.chmod(0o711)
        tmp_path.chmod(0o700)
        yield Path(path)


def test_the_database_stays_the_same_whatever_becomes_of_its_folder(home: Path, tmp_path: Path) -> None:
    folder, moved = tmp_path / "postgres", tmp_path / "moved"
    first = EmbeddedPostgres(folder)
    ask(first.start().url(), "CREATE TABLE kept AS SELECT 7 AS number")
    outside = first.outside
    first.stop()

    (folder / "cluster.place").unlink()  # an earlier version noted nothing
    tmp_path.chmod(0o711)
    second = EmbeddedPostgres(folder)
    in_reach = ask(second.start().url(), "SELECT number FROM kept")
    second.stop()
    noted_again = second.outside
    folder.rename(moved)
    third = EmbeddedPostgres(moved)
    elsewhere = ask(third.start().url(), "SELECT number FROM kept")
    third.stop()

    assert (in_reach, elsewhere) == (7, 7)
    assert noted_again == third.outside == outside
    assert (outside is None) is not (os.geteuid() == 0)
    assert outside is None or outside.is_relative_to(home)


def test_no_new_database_takes_the_place_of_one_that_is_gone(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    server = EmbeddedPostgres(folder)
    server.start()
    server.stop()
    password = (folder / "superuser.password").read_text()
    made = server.outside or folder / "cluster"
    made.rename(tmp_path / "gone")

    with pytest.raises(EmbeddedError, match=f"^{folder} belongs to a database in {made}, ") as refused:
        server.start()
    (folder / "cluster.place").unlink()  # an earlier version noted nothing
    with pytest.raises(EmbeddedError, match=f"^{folder} belongs to a database in .*{made}"):
        server.start()

    assert "\n" not in str(refused.value)
    assert (folder / "superuser.password").read_text() == password
    assert not made.exists()
    assert not any(home.rglob("PG_VERSION"))


def test_a_database_that_its_account_cannot_reach_any_more_is_named_and_no_new_one_is_made(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o711)
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    server.stop()
    monkeypatch.setattr(postgres, "_under_which_account", lambda: (Account("nobody", 65534, 65534), Path("/")))
    monkeypatch.setattr(postgres, "_reaches", lambda _account, _path: False)

    with pytest.raises(EmbeddedError, match=f"cannot reach its database {tmp_path}/postgres/cluster: .*chmod"):
        server.start()

    assert not any(home.rglob("PG_VERSION"))


def test_what_an_interrupted_start_left_is_no_database(folder: Path) -> None:
    scratch = folder / "cluster.new"
    scratch.mkdir(parents=True)
    (scratch / "PG_VERSION").write_text("17\n")
    server = EmbeddedPostgres(folder)

    assert ask(server.start().url(), "SELECT 1") == 1
    server.stop()


@pytest.mark.usefixtures("home")
def test_a_new_data_folder_does_not_begin_over_the_database_of_an_earlier_one(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    first = EmbeddedPostgres(folder)
    ask(first.start().url(), "CREATE TABLE kept AS SELECT 7 AS number")
    first.stop()
    made = first.outside or folder / "cluster"
    kept = {name: (folder / name).read_text() for name in ("superuser.password", "cluster.place")}
    for name in kept:  # root's database is elsewhere: whoever deletes the whole folder leaves it
        (folder / name).unlink()

    for _ in range(2):
        with pytest.raises(EmbeddedError, match=f"^A database of an earlier data folder is in {made}: .*move .* away"):
            EmbeddedPostgres(folder).start()
    assert not any((folder / name).exists() for name in kept)

    for name, text in kept.items():
        (folder / name).write_text(text)
    again = EmbeddedPostgres(folder)
    assert ask(again.start().url(), "SELECT number FROM kept") == 7
    again.stop()
    (folder / "superuser.password").write_text("another")
    with pytest.raises(EmbeddedError, match=f"^The password in {folder}/superuser.password is not that of .*{made}"):
        again.start()
    assert again.pid is None


@pytest.mark.usefixtures("home")
def test_where_a_first_start_was_broken_off_the_line_says_how_to_begin_anew(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir(mode=0o700)
    (folder / "superuser.password").write_text("of a database that was never made")

    with pytest.raises(EmbeddedError, match=f"If none was ever made, delete {folder}/superuser.password"):
        EmbeddedPostgres(folder).start()

    (folder / "superuser.password").unlink()
    server = EmbeddedPostgres(folder)
    assert ask(server.start().url(), "SELECT 1") == 1
    server.stop()
