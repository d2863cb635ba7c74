"""The accounts of an installation that is kept: whoever has the password of one opens no other with it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from handrail.cli import account
from handrail.cli import main as command_line
from handrail.front import accounts as front_accounts
from handrail.front.accounts import (
    FIRST_ACCOUNTS,
    Accounts,
    add_account,
    give_own_passwords,
    read_accounts,
    write_accounts,
)
from handrail.installation.keys import read_password, write_secret
from handrail.installation.tokens import Account
from tests.support.answering import running_at, serving

IDS = [account.id for account in FIRST_ACCOUNTS]


def opened(folder: Path, password: str) -> list[str]:
    """Return the accounts that a password opens."""
    accounts = Accounts(folder / "accounts.yaml")
    return [account for account in IDS if accounts.check(account, password)]


def shared(folder: Path) -> str:
    """Write the accounts as they were while one password opened all of them, and return it."""
    password = read_password(folder, "accounts")
    write_accounts(folder / "accounts.yaml", lambda _account: password)
    return password


def own(folder: Path, account: str) -> str:
    return (folder / f"account-{account}.password").read_text()


def test_each_account_is_opened_by_its_own_password_alone(tmp_path: Path) -> None:
    give_own_passwords(tmp_path / "accounts.yaml", tmp_path)

    assert {account: opened(tmp_path, own(tmp_path, account)) for account in IDS} == {each: [each] for each in IDS}
    assert not (tmp_path / "accounts.password").exists()


def test_one_password_for_all_that_is_kept_from_before_opens_nothing_after_the_next_start(tmp_path: Path) -> None:
    password = shared(tmp_path)
    assert opened(tmp_path, password) == IDS

    give_own_passwords(tmp_path / "accounts.yaml", tmp_path)

    assert opened(tmp_path, password) == []
    assert {account: opened(tmp_path, own(tmp_path, account)) for account in IDS} == {each: [each] for each in IDS}
    assert not (tmp_path / "accounts.password").exists()
    assert (tmp_path / "accounts.yaml").stat().st_mode & 0o777 == 0o600


def test_what_the_operator_wrote_into_the_accounts_stays(tmp_path: Path) -> None:
    shared(tmp_path)
    elsewhere = tmp_path / "another"
    elsewhere.mkdir()
    write_accounts(elsewhere / "accounts.yaml", lambda _account: "chosen by the operator")
    of_the_operator = (elsewhere / "accounts.yaml").read_text().split("- id: auditor\n")[1].split("- id: ")[0]
    before = (tmp_path / "accounts.yaml").read_text()
    of_all = before.split("- id: auditor\n")[1].split("- id: ")[0]
    (tmp_path / "accounts.yaml").write_text("# ours\n" + before.replace(of_all, of_the_operator))

    give_own_passwords(tmp_path / "accounts.yaml", tmp_path)
    once = (tmp_path / "accounts.yaml").read_text()
    give_own_passwords(tmp_path / "accounts.yaml", tmp_path)

    assert opened(tmp_path, "chosen by the operator") == ["auditor"]
    assert opened(tmp_path, own(tmp_path, "operations")) == ["operations"]
    assert not (tmp_path / "account-auditor.password").exists()
    assert once.startswith("# ours\n")
    assert (tmp_path / "accounts.yaml").read_text() == once


@pytest.mark.parametrize("closed", ["''", "none", "3", "scrypt$x$y"])
def test_an_account_that_the_operator_closed_stays_closed_and_the_others_get_their_own(
    closed: str, tmp_path: Path
) -> None:
    password = shared(tmp_path)
    text = (tmp_path / "accounts.yaml").read_text()
    of_the_auditor = text.split("- id: auditor\n")[1].split("password: ")[1].split("\n")[0]
    (tmp_path / "accounts.yaml").write_text(text.replace(of_the_auditor, closed))

    give_own_passwords(tmp_path / "accounts.yaml", tmp_path)

    assert opened(tmp_path, password) == opened(tmp_path, "") == opened(tmp_path, closed) == []
    assert opened(tmp_path, own(tmp_path, "operations")) == ["operations"]
    assert not (tmp_path / "accounts.password").exists()


@pytest.mark.parametrize("broken", ["accounts: [", "accounts: 3", "{}", "accounts: [{password: none}]"])
def test_accounts_that_cannot_be_read_are_left_for_the_front_to_name(broken: str, tmp_path: Path) -> None:
    shared(tmp_path)
    (tmp_path / "accounts.yaml").write_text(broken)

    give_own_passwords(tmp_path / "accounts.yaml", tmp_path)

    assert (tmp_path / "accounts.yaml").read_text() == broken


ADA = Account("ada-author", "Ada Author", "review_officer", "leeds-city-council", "la:E08000035")


@pytest.mark.parametrize(
    "before", [None, "accounts: []\n", "# ours\naccounts:\n  - {id: x, name: X, role: auditor, password: ''}"]
)
def test_an_account_is_added_to_any_file_of_accounts_and_opened_by_its_password(
    before: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "accounts.yaml"
    if before is not None:
        file.write_text(before)
    had = read_accounts(file) if before else {}

    add_account(file, ADA, "chosen")

    assert Accounts(file).check("Ada-Author", "chosen") == ADA
    assert Accounts(file).check("ada-author", "another") is None
    assert read_accounts(file).keys() == {*had, "ada-author"}
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_stands_in_the_file_stays_as_it_is_when_an_account_is_added(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    write_accounts(file, lambda account: account)
    file.write_text("# ours\n" + file.read_text())
    before = file.read_text()

    add_account(file, ADA, "chosen")

    assert file.read_text().startswith(before)
    assert opened(tmp_path, "auditor") == ["auditor"]


def test_an_account_is_not_added_twice(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    add_account(file, ADA, "chosen")
    before = file.read_text()

    with pytest.raises(ValueError, match="has an account ada-author"):
        add_account(file, ADA, "another")

    assert file.read_text() == before


def test_of_accounts_that_are_added_at_once_none_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "accounts.yaml"
    write_accounts(file, lambda account: account)
    names = [f"person-{number}" for number in range(12)]

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: add_account(file, Account(name, "Ada Author", "auditor"), "chosen"), names))

    assert read_accounts(file).keys() == {*IDS, *names}


def test_a_changed_file_counts_from_the_next_sign_in_on_and_one_that_cannot_be_used_changes_nothing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "accounts.yaml"
    write_accounts(file, lambda account: account)
    accounts = Accounts(file)

    add_account(file, ADA, "chosen")
    added = accounts.check("ada-author", "chosen")
    with capture_logs() as logged:
        file.write_text("accounts: [")
        still = [accounts.check("ada-author", "chosen") for _ in range(2)]
    write_accounts(file.with_name("first.yaml"), lambda account: account)
    file.with_name("first.yaml").replace(file)

    assert (added, still) == (ADA, [ADA, ADA])
    assert [one["event"] for one in logged] == ["accounts.refused"]
    assert accounts.check("ada-author", "chosen") is None
    assert accounts.check("auditor", "auditor") is not None


COUNCIL = {"body": "local_authority", "area": "E08000035", "recipient": None, "revoked_at": None}
CLIENTS = [
    COUNCIL | {"name": "leeds-city-council", "recipient": "la:E08000035"},
    COUNCIL | {"name": "leeds-without-recipient"},
    COUNCIL | {"name": "a-school", "body": "school"},
    COUNCIL | {"name": "gone", "recipient": "la:E08000035", "revoked_at": "2026-03-02T09:00:00Z"},
]


def add(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    with serving((200, {"clients": CLIENTS}, {"Content-Type": "application/json"})) as intake:
        running_at(intake.url, folder)
        return subprocess.run(
            [sys.executable, "-m", "handrail.cli.main", "account", "add", *arguments, "--data", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stderr.replace("│", " ").split())


def test_the_command_adds_an_account_and_keeps_its_password(tmp_path: Path) -> None:
    who = ("ada-author", "--name", "Ada Author", "--role", "review_officer")

    alone = add(tmp_path, *who)
    done = add(tmp_path, *who, "--client", "leeds-city-council", "--body", "la:E08000035")
    again = add(tmp_path, *who, "--client", "leeds-city-council", "--body", "la:E08000035")

    assert "name it with --client and --body" in complaint(alone)
    assert done.returncode == 0, done.stderr
    password = Path(done.stdout.strip().rpartition(" is in ")[2]).read_text()
    assert Accounts(tmp_path / "accounts.yaml").check("ada-author", password) == ADA
    assert (again.returncode, "nothing was added" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("agency", "said"),
    [
        (("--client", "leeds-council", "--body", "la:E08000035"), "leeds-council is no client: take one of"),
        (("--client", "gone", "--body", "la:E08000035"), "gone is no client: take one of"),
        (("--client", "leeds-city-council", "--body", "la:E09000032"), "for la:E08000035: give --body la:E08000035"),
        (("--client", "leeds-city-council"), "for la:E08000035: give --body la:E08000035"),
        (("--client", "leeds-without-recipient"), "for la:E08000035: give --body la:E08000035"),
        (("--client", "a-school", "--body", "la:E08000035"), "for no recipient: leave --body out"),
    ],
)
def test_the_command_adds_no_account_for_a_client_that_there_is_not_or_a_body_that_it_does_not_answer_for(
    agency: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = add(tmp_path, "ada-author", "--name", "Ada Author", "--role", "review_officer", *agency)

    assert (done.returncode, said in complaint(done)) == (2, True), done.stderr
    assert not (tmp_path / "accounts.yaml").exists()


def test_the_command_adds_an_account_for_an_authority_that_no_recipient_is_registered_for(tmp_path: Path) -> None:
    """It answers for itself: without its body the account saw none of the duties that others' reports put upon it."""
    agency = ("--client", "leeds-without-recipient", "--body", "la:E08000035")
    done = add(tmp_path, "ada-author", "--name", "Ada Author", "--role", "review_officer", *agency)

    assert done.returncode == 0, done.stderr
    [(account, _)] = read_accounts(tmp_path / "accounts.yaml").values()
    assert account.body == "la:E08000035"


def test_the_command_adds_an_account_for_a_client_that_answers_for_no_recipient(tmp_path: Path) -> None:
    done = add(tmp_path, "sam-school", "--name", "Sam School", "--role", "partner", "--client", "a-school")

    assert done.returncode == 0, done.stderr
    [(account, _)] = read_accounts(tmp_path / "accounts.yaml").values()
    assert account == Account("sam-school", "Sam School", "partner", "a-school")


@pytest.mark.parametrize("name", ["", "  ", "Ada\nAuthor"])
def test_the_command_adds_no_account_of_a_person_without_a_name(name: str, tmp_path: Path) -> None:
    done = add(tmp_path, "ada-author", "--name", name, "--role", "auditor")

    assert (done.returncode, "expected the person's name" in complaint(done)) == (2, True), done.stderr
    assert not (tmp_path / "accounts.yaml").exists()


@pytest.mark.parametrize("lacks_space_for", ["account-ada-author", "accounts.yaml"])
def test_on_a_full_disk_the_command_says_so_and_leaves_no_account_whose_password_nobody_has(
    lacks_space_for: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(place: Path, content: bytes) -> None:
        if place.name.startswith(lacks_space_for):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_secret(place, content)

    running_at("http://127.0.0.1:1", tmp_path)
    for module in (account, front_accounts):
        monkeypatch.setattr(module, "write_secret", full)
    arguments = ["account", "add", "ada-author", "--name", "Ada Author", "--role", "auditor", "--data", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["handrail", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()

    assert ended.value.code == 1
    assert capsys.readouterr().err == "handrail: No space left on device. Free some, and run it again\n"
    assert not (tmp_path / "accounts.yaml").exists()
    assert [*(tmp_path / "keys").glob("account-*")] == []
