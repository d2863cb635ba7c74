"""The stand-alone verifier against a log in memory: every planted change is found, at its place."""

from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

import handrail.verify
from handrail.verify import (
    SIGNED_WITHIN_S,
    CannotCheck,
    Frontier,
    Report,
    open_note,
    over_http,
    read_key,
    verify,
    verify_log,
)
from services.audit.domain.merkle import leaf_hash
from services.audit.domain.note import Checkpoint
from tests.support import merkle_reference as reference
from tests.support.audit import CASE, KEY, NOTE_KEY, ORIGIN
from tests.support.memory_log import HONEST, PUBLIC, ROOTS, Line, MemoryServer, lines


def check(served: list[Line], signed: dict[int, bytes] | None = None, saved: str | None = None) -> Report:
    server = MemoryServer(served, ROOTS if signed is None else signed)
    return verify(server.fetch, PUBLIC, saved=saved, settle_s=0)


def test_an_honest_log_is_verified() -> None:
    report = check(HONEST, saved=Checkpoint(ORIGIN, 25, ROOTS[25]).sign(KEY))

    assert report.problems == []
    assert report.summary() == f"verified: 40 entries of {ORIGIN} under 3 signed checkpoints"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 257])
def test_the_verifiers_own_tree_equals_the_rfc(size: int) -> None:
    frontier = Frontier()
    for number in range(size):
        frontier.append(leaf_hash(number.to_bytes(2)))

    assert frontier.root() == reference.tree_hash([number.to_bytes(2) for number in range(size)])


@settings(max_examples=300)
@given(st.integers(0, 39), st.data())
def test_every_planted_bit_flip_is_found_at_its_place(place: int, data: st.DataObject) -> None:
    line = HONEST[place]
    part = data.draw(st.sampled_from([name for name in line._fields if getattr(line, name)]), label="part")
    content = bytearray(getattr(line, part))
    bit = data.draw(st.integers(0, len(content) * 8 - 1), label="bit")
    content[bit // 8] ^= 1 << bit % 8
    served = [*HONEST[:place], line._replace(**{part: bytes(content)}), *HONEST[place + 1 :]]

    assert any(problem.startswith(f"entry {place}:") for problem in check(served).problems)


@given(st.data())
def test_a_salt_that_takes_a_part_of_the_record_or_gives_it_one_is_found(data: st.DataObject) -> None:
    line = HONEST[3]
    both = line.salt + line.payload
    cut = data.draw(st.integers(1, len(both) - 1).filter(lambda cut: cut != len(line.salt)), label="cut")
    served = [*HONEST[:3], line._replace(salt=both[:cut], payload=both[cut:]), *HONEST[4:]]

    assert check(served).problems == ["entry 3: the record kept with it is not the one that it commits to"]


@given(st.sets(st.integers(0, 39), min_size=1))
def test_all_of_many_changes_are_found(places: set[int]) -> None:
    served = [
        one._replace(entry=one.entry.replace(b"2026", b"2027", 1)) if place in places else one
        for place, one in enumerate(HONEST)
    ]

    found = [problem for problem in check(served).problems if "hash that stands in the tree" in problem]
    assert [int(problem.split()[1].rstrip(":")) for problem in found] == sorted(places)


def test_a_changed_entry_whose_tree_was_rebuilt_lies_between_two_signed_sizes() -> None:
    changed = HONEST[12].entry.replace(b"2026", b"2027", 1)
    served = [*HONEST[:12], HONEST[12]._replace(entry=changed, in_tree=leaf_hash(changed)), *HONEST[13:]]

    assert check(served).problems == [
        "the tree does not have the root signed at size 25: changed in entries 10 to 24",
        "the tree does not have the root signed at size 40: changed in entries 10 to 39",
    ]


def test_a_whole_new_history_with_good_signatures_contradicts_the_saved_checkpoint() -> None:
    served = lines(41)[1:]
    signed = {40: reference.tree_hash([one.entry for one in served])}
    saved = Checkpoint(ORIGIN, 25, ROOTS[25]).sign(KEY)

    assert (
        "the tree does not have the root signed at size 25: changed in entries 0 to 24"
        in check(served, signed, saved).problems
    )


def test_a_log_that_lost_its_end_contradicts_the_saved_checkpoint() -> None:
    saved = Checkpoint(ORIGIN, 40, ROOTS[40]).sign(KEY)

    assert check(HONEST[:25], {25: ROOTS[25]}, saved).problems == [
        "the log has 25 entries, a checkpoint at 40 was signed before: it was rolled back"
    ]


def test_a_log_that_grows_while_it_is_read_is_verified() -> None:
    server = MemoryServer(HONEST[:10], {10: ROOTS[10]})
    growth = iter((25, 40))

    def fetch(path: str) -> bytes:
        answer = server.fetch(path)
        if path.startswith("/v1/checkpoint"):
            size = next(growth)
            server.served, server.signed = HONEST[:size], {**server.signed, size: ROOTS[size]}
        return answer

    assert verify(fetch, PUBLIC, settle_s=0).problems == []


def test_entries_that_stay_unsigned_are_counted_and_are_no_problem() -> None:
    server, pauses = MemoryServer(HONEST[:10], {10: ROOTS[10]}), list[float]()
    server.said = {"unsigned": 15}

    report = verify(server.fetch, PUBLIC, pause=pauses.append)

    assert (report.ok, report.unsigned, sum(pauses)) == (True, 15, SIGNED_WITHIN_S)
    assert report.summary().splitlines() == [
        "NOT SIGNED, so not checked: 15 newer entries, none signed for 10 s",
        f"verified: 10 entries of {ORIGIN} under 1 signed checkpoints",
    ]


def test_a_log_that_signs_while_more_comes_leaves_nothing_unsigned() -> None:
    server = MemoryServer(HONEST[:10], {10: ROOTS[10]})
    server.said = {"unsigned": 15}

    def pause(_seconds: float) -> None:
        server.signed = {25: ROOTS[25]}

    assert verify(server.fetch, PUBLIC, pause=pause).unsigned == 0


class CatchingUp:
    """A log of two of these lines, and of one more after each so many pauses."""

    def __init__(self, coming: list[Line], every: int) -> None:
        self._coming, self._every = coming, every
        self.pauses = 0

    def pause(self, _seconds: float) -> None:
        self.pauses += 1

    def fetch(self, path: str) -> bytes:
        served = self._coming[: 2 + self.pauses // self._every]
        signed = {len(served): reference.tree_hash([one.entry for one in served])}
        return MemoryServer(served, signed).fetch(path)


MISSING = [
    "producer routing: number 1 is missing before entry 0",
    f"case {CASE} of routing: number 1 is missing before entry 0",
]


def test_a_log_that_is_catching_up_is_waited_for() -> None:
    behind = CatchingUp([*HONEST[1:6], HONEST[0]], every=30)

    assert verify(behind.fetch, PUBLIC, pause=behind.pause).problems == []
    assert behind.pauses == 120


def test_a_number_that_stays_away_while_nothing_comes_is_missing() -> None:
    stopped = CatchingUp(HONEST[1:4], every=30)

    assert verify(stopped.fetch, PUBLIC, pause=stopped.pause).problems == MISSING
    assert stopped.pauses == 30 + 60


def test_what_a_server_adds_behind_the_signed_entries_fills_no_gap() -> None:
    served = [*HONEST[1:], HONEST[0]]
    signed = {39: reference.tree_hash([one.entry for one in served[:39]])}
    server = MemoryServer(served, signed)

    def fetch(path: str) -> bytes:
        return server.fetch(path.replace("end=39", "end=40"))

    assert verify(fetch, PUBLIC, settle_s=0).problems == MISSING


def test_a_log_that_never_stands_still_is_not_waited_for_for_ever() -> None:
    busy = CatchingUp(HONEST[1:], every=3)

    assert verify(busy.fetch, PUBLIC, settle_s=3.5, pause=busy.pause).problems == MISSING
    assert busy.pauses == 35


def test_of_a_log_that_never_stands_still_a_number_that_is_only_late_is_not_missing() -> None:
    """Of each three numbers the first comes last, so that at most moments there is one that has just not come."""
    late = [HONEST[each] for first in range(2, 38, 3) for each in (first + 1, first + 2, first)]
    busy = CatchingUp([HONEST[1], *late], every=1)

    assert verify(busy.fetch, PUBLIC, settle_s=3, pause=busy.pause).problems == MISSING
    assert busy.pauses == 30


def test_a_wrong_entry_is_not_waited_for() -> None:
    stopped = CatchingUp(HONEST[1:3], every=1)
    wrong = HONEST[1].entry

    def fetch(path: str) -> bytes:
        return stopped.fetch(path).replace(wrong, wrong.replace(b"2026", b"2027", 1))

    problems = verify(fetch, PUBLIC, pause=stopped.pause).problems
    assert problems[0] == "entry 0: its content does not have the hash that stands in the tree"
    assert stopped.pauses == 0


def test_a_saved_checkpoint_of_another_log_is_said_to_be_that() -> None:
    saved = Checkpoint("another.example/log", 25, ROOTS[25]).sign(KEY)

    assert check(HONEST, saved=saved).problems == ["the checkpoint at size 25 is of another log, another.example/log"]


def test_a_saved_checkpoint_that_nobody_signed_is_said_to_be_that() -> None:
    forged = Checkpoint(ORIGIN, 25, ROOTS[25]).sign(Ed25519PrivateKey.generate())

    assert check(HONEST, saved=forged).problems[0].startswith("the checkpoint that you saved: ")


@pytest.mark.parametrize("cut", [6, 7, 70])
def test_a_saved_checkpoint_that_was_cut_short_is_said_to_be_that(cut: int) -> None:
    saved = Checkpoint(ORIGIN, 25, ROOTS[25]).sign(KEY)[:-cut]

    [problem] = check(HONEST, saved=saved).problems
    assert problem.startswith("the checkpoint that you saved: ")


def test_a_saved_checkpoint_that_lost_only_the_end_of_its_last_line_is_believed() -> None:
    saved = Checkpoint(ORIGIN, 25, ROOTS[25]).sign(KEY).removesuffix("\n")

    assert check(HONEST, saved=saved).problems == []


@pytest.mark.parametrize(
    "entry",
    [
        b"not JSON",
        b"[]",
        b"{}",
        b'{"kind":"message"}',
        b'{"kind":"message","payload":[],"event":[]}',
        HONEST[12].entry.replace(b'"producerseq":12', b'"producerseq":"x"'),
        HONEST[12].entry.replace(b'"producer":"routing"', b'"producer":["routing"]'),
    ],
)
def test_what_does_not_read_as_an_entry_hides_nothing_else_that_is_wrong(entry: bytes) -> None:
    forged = HONEST[12]._replace(entry=entry, in_tree=leaf_hash(entry))
    served = [*HONEST[:12], forged, *HONEST[13:21], HONEST[21]._replace(salt=bytes(32)), *HONEST[22:]]

    problems = check(served).problems
    assert "the tree does not have the root signed at size 25: changed in entries 10 to 24" in problems
    assert "entry 21: the record kept with it is not the one that it commits to" in problems


def test_a_server_that_holds_entries_back_cannot_be_checked() -> None:
    with pytest.raises(CannotCheck, match="gave no entries from 30"):
        check(HONEST[:30])


@pytest.mark.parametrize(
    "note", ["", "o\n1\n", "\n\n", "o\nx\nAAAA\n\n\u2014 o AAAA\n", "o\n1\nAAAA\n\n\u2014 o AAAAA\n"]
)
def test_what_is_not_a_note_is_not_believed(note: str) -> None:
    with pytest.raises(CannotCheck):
        open_note(note, PUBLIC)


@pytest.mark.parametrize("path", ["/v1/checkpoint", "/v1/checkpoints", "/v1/entries"])
@pytest.mark.parametrize("answer", [b"<html>Sign in</html>", b"\xff", b"[]", b'{"unsigned":3}', b'{"checkpoints":7}'])
def test_a_server_that_answers_with_something_else_cannot_be_checked(
    path: str, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = MemoryServer(HONEST, ROOTS)

    def fetch(asked: str) -> bytes:
        return answer if urlsplit(asked).path == path else server.fetch(asked)

    monkeypatch.setattr(handrail.verify, "over_http", lambda *_: fetch)
    monkeypatch.setattr(handrail.verify, "SIGNED_WITHIN_S", 1)
    report = verify_log("http://127.0.0.1", None, NOTE_KEY.encode().encode())

    assert report.head is None
    assert report.summary().startswith("cannot check: ")


@pytest.mark.parametrize("key", [b"", b"\xff", b"name+id", b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"])
def test_what_is_not_a_key_is_refused(key: bytes) -> None:
    with pytest.raises(CannotCheck, match="expected an Ed25519 public key"):
        read_key(key)


@pytest.mark.parametrize("url", ["file:///etc", "127.0.0.1:8404"])
def test_only_web_addresses_are_read(url: str) -> None:
    with pytest.raises(CannotCheck, match="expected an http or https address"):
        over_http(url, None)


@pytest.mark.parametrize("answer", [b"<html>Sign in</html>", b"[]", b"{}", b'{"checkpoints": [1]}', b"\xff"])
def test_a_server_that_answers_as_no_log_does_cannot_be_checked(answer: bytes) -> None:
    with pytest.raises(CannotCheck, match=r"/v1/checkpoint|expected a checkpoint"):
        verify(lambda _path: answer, PUBLIC, settle_s=0)


def test_an_entry_that_is_none_though_it_has_its_hash_is_named_and_the_others_are_read() -> None:
    served = [
        one._replace(entry=text, in_tree=leaf_hash(text)) if text else one
        for one, text in zip(HONEST, [b"", b"what is no JSON", b"[]", b'{"kind": "message"}', *[b""] * 36], strict=True)
    ]

    found = [problem for problem in check(served).problems if problem.startswith("entry")]
    assert found == [f"entry {place}: it does not read as an entry of a log" for place in (1, 2, 3)]
