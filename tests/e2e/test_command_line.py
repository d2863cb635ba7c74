"""The command line on a running installation, and the installation that keeps its data."""

from __future__ import annotations

import html
import json
import re
import signal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from handrail.embedded.errors import FolderInUse
from handrail.installation.installation import Installation
from handrail.installation.web import Web
from tests.support.command_line import produce, reachable, receipts, report, run, staying, until, up
from tests.support.installation import DEMO, EVENTS, played_demo
from tests.support.repository import ROOT


def is_decided(intake: Web, receipt_id: str) -> dict[str, Any] | None:
    """Return a receipt's progress once routing has decided."""
    progress: dict[str, Any] = intake.get(f"/v1/receipts/{receipt_id}")
    return progress if progress["status"] == "decided" else None


def test_status_gives_another_program_all_that_it_needs_to_join_in() -> None:
    status = json.loads(run("status", "--json").stdout)

    client = status["clients"]["leeds-city-council"]
    assert set(status["urls"]) == {"front", "intake", "routing", "deadlines", "audit", "stubs"}
    assert Web(status["urls"]["intake"], client["token"]).get("/v1/receipts")
    assert client["kafka_topic"] == "safeguarding.submissions.leeds-city-council.v1"
    assert status["kafka_bootstrap"].startswith("127.0.0.1:")


def test_with_what_status_gives_another_program_reports_by_kafka_and_gets_a_receipt() -> None:
    status = json.loads(run("status", "--json").stdout)
    client = status["clients"]["west-yorkshire-police"]
    intake = Web(status["urls"]["intake"], client["token"])
    before = receipts(intake)

    produce(
        {
            "bootstrap.servers": status["kafka_bootstrap"],
            "security.protocol": status["kafka_security"],
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": client["kafka_user"],
            "sasl.password": client["kafka_password"],
        },
        client["kafka_topic"],
        report("by-kafka"),
    )

    until(lambda: receipts(intake) - before, "a receipt")
    [made] = receipts(intake) - before

    def told() -> dict[str, Any] | None:
        progress = is_decided(intake, made)
        return progress if progress and "la:E08000035" in {each["recipient"] for each in progress["told"]} else None

    assert until(told, "decided, and Leeds is told")["type"] == "incident.reported.v1"


def test_an_event_file_is_sent_and_sent_again_gives_the_same_receipt() -> None:
    first, again = (run("send", str(EVENTS / "01-police-report.json")) for _ in range(2))

    assert first.returncode == again.returncode == 0, first.stderr
    assert json.loads(first.stdout)["receipt_id"] == json.loads(again.stdout)["receipt_id"]


def test_a_file_with_placeholders_is_not_sent_and_says_what_to_do() -> None:
    refused = run("send", str(EVENTS / "19-correction.json"))

    assert refused.returncode == 1
    assert "put in the ids from a notice or a receipt first" in refused.stderr


def test_a_client_that_is_revoked_is_refused_from_then_on() -> None:
    added = run("client", "add", "short-lived", "--body", "school", "--area", "E08000035")
    token = json.loads(added.stdout)["token"]
    intake = Web(played_demo().installation.url("intake"), token)
    assert intake.call("GET", "/v1/receipts").status == 200

    revoked = run("client", "revoke", "short-lived")

    assert revoked.returncode == 0, revoked.stderr
    assert intake.call("GET", "/v1/receipts").status == 401
    assert "short-lived" in run("client", "list").stdout


def test_the_clock_moves_and_says_where_it_stands() -> None:
    before, after = run("clock"), run("clock", "+1d")

    assert after.returncode == 0, after.stderr
    assert after.stdout.split()[-1][:10] > before.stdout.split()[-1][:10]


def test_six_days_later_a_duty_that_was_not_met_stands_as_breached_in_the_api_and_on_the_desk(
    tmp_path: Path,
) -> None:
    deadlines = played_demo().installation.web("deadlines")
    event, now = report("left-to-lie"), deadlines.get("/v1/clock")["legal_now"]
    event |= {"time": now}
    event["data"] |= {"reported_on": now[:10]}
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    case = json.loads(run("send", str(file)).stdout)["case_key"]

    def referral() -> dict[str, Any] | None:
        found = deadlines.get(f"/v1/obligations?state=open&case={case}")["obligations"]
        return next((each for each in found if each["rule"] == "N-11"), None)

    def breach() -> dict[str, Any] | None:
        alerts = deadlines.get("/v1/alerts?limit=200")["alerts"]
        found = (each for each in alerts if each["kind"] == "deadline.breached")
        return next((each for each in found if each["reference"] == owed["obligation_id"]), None)

    owed = until(referral, "the duty")
    before = breach()
    moved = run("clock", "+6d")
    raised = until(breach, "the breach")
    late = referral()
    desk = html.unescape(deadlines.call("GET", "/desk").text)
    back = run("clock", "-6d")

    assert (moved.returncode, back.returncode) == (0, 0), moved.stderr + back.stderr
    assert (before, owed["group"]) == (None, "soon")
    assert late is not None
    assert late["group"] == "overdue"
    assert raised["case_key"] == case
    assert f"{raised['says']}</p>" in desk
    assert f"case {case[:8]}</a>" in desk


def test_the_log_verifies_from_outside() -> None:
    verified = run("verify")

    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_reasons_of_a_case_are_asked_of_the_routing_that_runs() -> None:
    demo = played_demo()
    case = demo.played.cases["leeds-city-council", "LCC-2026-0078"]

    explained = run("rules", "explain", case)
    day_one = run("rules", "explain", case, "--on", "2026-06-02")
    for_programs = json.loads(run("rules", "explain", case, "--json").stdout)

    assert explained.returncode == 0, explained.stderr
    assert f"; case {case}, as known " in explained.stdout.splitlines()[0]
    panel = explained.stdout.partition("Who is left out, and why")[2]
    assert "Child Safeguarding Practice Review Panel (panel): Withdrawn\n    N-01 decision not to notify" in panel
    assert re.search(r"\[harm is \w+, said by Leeds City Council, recorded 2026-06-", explained.stdout)
    assert day_one.stdout != explained.stdout
    assert for_programs["case_key"] == case


def test_a_draft_is_tried_on_the_cases_that_were_recorded_and_the_same_rules_change_nothing(tmp_path: Path) -> None:
    """Fifteen working days from 1 June 2026 end on the 22nd, ten on the 15th."""
    text = (ROOT / "rulebooks" / "england" / "2026.11.0.yaml").read_text("utf-8")
    start = text.index("  - id: R-02\n")
    draft = tmp_path / "draft.yaml"
    draft.write_text(text[:start] + text[start:].replace("working days: 15", "working days: 10", 1), "utf-8")

    same = json.loads(run("rules", "simulate", "2026.11.0", "--since", "2026-01-01", "--json").stdout)
    other = json.loads(run("rules", "simulate", str(draft), "--since", "2026-01-01", "--json").stdout)

    assert same["cases_read"] == other["cases_read"] >= 5
    assert (same["cases_changed"], same["cases"]) == (0, [])
    moved = {(each["rule"], each["before"], each["due_on"]) for case in other["cases"] for each in case["moved"]}
    assert moved == {("R-02", "2026-06-22", "2026-06-15")}


def test_a_case_is_moved_only_to_a_version_that_is_released() -> None:
    case = played_demo().played.cases["leeds-city-council", "LCC-2026-0078"]

    refused = run("rules", "migrate", case, "--to", "2099.1.0", "--reason", "why not")

    assert refused.returncode == 1
    assert "rulebook 2099.1.0 is not released; versions that count: 2026.11.0" in refused.stderr


def test_without_an_installation_each_command_says_how_to_start_one(tmp_path: Path) -> None:
    refused = run("status", data=tmp_path)

    assert refused.returncode == 1
    assert "Start one with `handrail demo` or `handrail up`" in refused.stderr


def test_the_demo_tells_its_story_stays_up_until_a_ctrl_c_and_leaves_nothing_behind(tmp_path: Path) -> None:
    reachable(tmp_path)
    log, home = tmp_path / "demo.log", tmp_path / "home"
    with staying(log, "demo", stop=signal.SIGINT, HANDRAIL_DATA=str(home / "handrail")) as demo:
        told = log.read_text()
        links = set(re.findall(r"http://127\.0\.0\.1:\d+/\S*", told))
        answers = {Web(link).call("GET", "").status for link in links}
        children = psutil.Process(demo.pid).children(recursive=True)

    assert "The police report that a child was seriously harmed in Leeds" in told
    assert re.search(r"→ la:E08000035 +N-11 +by 2026-06-02 ", told), "who is told, why, and by when"
    assert re.search(r"→ panel +N-01 +by 2026-06-08 ", told)
    assert re.search(r"\? la:E08000035 +\S", told), "what is asked, and of whom"
    assert told.index("Eight days go by") < told.index("Everything stays up")
    assert len({link for link in links if re.search(r"/case/[0-9a-f]{32}$", link)}) >= 5
    assert {urlsplit(link).path for link in links} >= {"/", "/desk", "/case", "/log"}
    assert answers == {200}
    assert demo.returncode == 0, log.read_text()
    assert len(children) > 7
    assert not psutil.wait_procs(children, timeout=30)[1]
    assert list(home.rglob("status.json")) == []


def test_an_installation_keeps_its_data_over_a_restart_and_leaves_nothing_running(tmp_path: Path) -> None:
    reachable(tmp_path)
    data = tmp_path / "data"
    with up(data) as first:
        added = run("client", "add", "example-school", "--body", "school", "--area", "E08000035", data=data)
        assert added.returncode == 0, added.stderr
        moved = run("clock", "+1d", data=data)
        assert moved.returncode == 1, "the clock of a real installation cannot be moved"
        children = psutil.Process(first.pid).children(recursive=True)

    assert first.returncode == 0
    assert len(children) > 6
    assert not psutil.wait_procs(children, timeout=30)[1]
    with up(data):
        assert "example-school" in run("client", "list", data=data).stdout
    with pytest.raises(FolderInUse, match="would be emptied"):
        Installation(data, DEMO).start()
    assert (data / "keys" / "vault.key").exists()
    assert len({path.read_text() for path in (data / "keys").glob("account-*.password")}) == 4
    assert not (data / "keys" / "accounts.password").exists()
