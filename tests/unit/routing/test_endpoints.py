"""Pins the file of recipients' addresses: which addresses it may give, and that it is read again when it changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.routing.dispatch.endpoints import SETTLED_S, Endpoints, read_endpoints

PANEL = "panel: https://panel.example/hook\n"
OFSTED = "ofsted: https://ofsted.example/hook\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "endpoints.yaml"
    found.write_text(PANEL)
    return found


@pytest.fixture
def endpoints(file: Path) -> Endpoints:
    return Endpoints(file)


def write(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
    else:
        file.write_text(text)


def look_twice(endpoints: Endpoints, from_s: float = 100.0) -> None:
    for now_s in (from_s, from_s + SETTLED_S):
        endpoints.look(now_s)


def test_addresses_are_encrypted_unless_they_are_on_this_machine_or_the_network_is_trusted(tmp_path: Path) -> None:
    good, plain, odd = tmp_path / "good.yaml", tmp_path / "plain.yaml", tmp_path / "odd.yaml"
    good.write_text("panel: https://panel.example/hook\nofsted: http://127.0.0.1:8405/recipients/ofsted/webhook\n")
    plain.write_text("panel: http://panel.example/hook\n")
    odd.write_text("- panel\n")

    assert set(read_endpoints(good)) == {"panel", "ofsted"}
    assert set(read_endpoints(plain, plain_text_ok=True)) == {"panel"}
    for refused in (plain, odd):
        with pytest.raises(ValueError, match=r"expected|https"):
            read_endpoints(refused)


@pytest.mark.parametrize(
    "address",
    [
        "https://[",
        "https://panel..example/hook",
        f"https://{'a' * 64}.example/",
        "https://.example/",
        "https://:99999/x",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_by_file_and_recipient(tmp_path: Path, address: str) -> None:
    (tmp_path / "endpoints.yaml").write_text(f"panel: '{address}'\n")

    with pytest.raises(ValueError, match=r"endpoints.yaml: the address of panel cannot be read"):
        read_endpoints(tmp_path / "endpoints.yaml")


def test_an_empty_file_sends_nothing_anywhere(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yaml").write_text("# recipient id: webhook URL\n")

    assert read_endpoints(tmp_path / "endpoints.yaml") == {}


def test_what_is_no_yaml_is_refused_by_file(tmp_path: Path) -> None:
    (tmp_path / "endpoints.yaml").write_text("panel: [\n")

    with pytest.raises(ValueError, match=r"endpoints.yaml: expected lines"):
        read_endpoints(tmp_path / "endpoints.yaml")


@pytest.mark.parametrize("again", ["panel: https://other.example/hook\n", "'panel': https://panel.example/hook\n"])
def test_a_recipient_with_two_addresses_is_refused_by_file_and_recipient(file: Path, again: str) -> None:
    """Else its notices would go to whichever stands last."""
    file.write_text(PANEL + OFSTED + again)

    with pytest.raises(ValueError, match=r"endpoints.yaml: panel stands there twice; expected each recipient once"):
        read_endpoints(file)


def test_a_changed_file_is_taken_and_its_new_recipients_are_named(file: Path, endpoints: Endpoints) -> None:
    endpoints.new.clear()
    file.write_text(PANEL + OFSTED)

    look_twice(endpoints)

    assert endpoints.get("ofsted") == "https://ofsted.example/hook"
    assert endpoints.new == {"ofsted"}


def test_at_the_start_every_recipient_is_new(endpoints: Endpoints) -> None:
    assert endpoints.new == {"panel"}


def test_who_has_no_address_any_more_is_not_new_either(file: Path, endpoints: Endpoints) -> None:
    file.write_text(OFSTED)

    look_twice(endpoints)

    assert (endpoints.get("panel"), endpoints.new) == (None, {"ofsted"})


def test_a_file_that_is_still_being_written_is_not_taken(file: Path, endpoints: Endpoints) -> None:
    """Half of an address is an address, too: the notice would go to whoever has that."""
    file.write_text("panel: https://pan")
    endpoints.look(100.0)
    endpoints.look(100.0 + SETTLED_S / 2)
    file.write_text("panel: https://panel.example/other\n")
    endpoints.look(100.0 + SETTLED_S)
    before = endpoints.get("panel")
    endpoints.look(100.0 + 2 * SETTLED_S)

    assert (before, endpoints.get("panel")) == ("https://panel.example/hook", "https://panel.example/other")


@pytest.mark.parametrize("broken", ["panel: [\n", "panel: http://panel.example\n", OFSTED + PANEL + OFSTED, None])
async def test_a_file_that_is_refused_changes_nothing_is_logged_once_and_makes_the_service_unready(
    file: Path, endpoints: Endpoints, broken: str | None
) -> None:
    write(file, broken)
    with capture_logs() as logged:
        look_twice(endpoints)
        look_twice(endpoints, 200.0)
    wrong = await endpoints.unready()
    write(file, PANEL + OFSTED)
    look_twice(endpoints, 300.0)

    assert [entry["event"] for entry in logged] == ["endpoints.refused"]
    assert "endpoints.yaml" in (wrong or "")
    assert endpoints.get("panel") == "https://panel.example/hook"
    assert endpoints.get("ofsted") is not None
    assert await endpoints.unready() is None
