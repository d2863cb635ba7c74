"""The accounts of an installation that is kept: whoever has the password of one opens no other with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.front.accounts import FIRST_ACCOUNTS, Accounts, give_own_passwords, write_accounts
from handrail.installation.keys import read_password

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
