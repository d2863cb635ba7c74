"""Checks Handrail's log from outside: every entry, every signed head, and that nothing is missing in between.

Stands alone on purpose: the standard library and `cryptography`, and its own small Merkle tree, so that an auditor can
read all of it and run it anywhere. It trusts one thing, the log's public key, and believes the server in nothing else.
It reports every place that is wrong and never stops at the first.

    python -m handrail.verify URL --key log.pub --token-file token.txt --state last-checkpoint.txt

Sources: RFC 9162 section 2.1 (tree), https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint.
"""

import argparse
import json
import re
import sys
import time
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib import request as ways
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PAGE = 1000  # entries asked for at a time
SETTLE_S = 60.0  # how long nothing may come before a gap is a gap; the service's own alarm waits as long
LONGEST = 10  # times that; a log that grows all the time is not waited for for longer
SALT_BYTES = 32
SIGNED_WITHIN_S = 10  # a log that works signs each second
NO_ENTRY = f"/v1/entries?after={2**63 - 1}"  # of a changed entry the server may be unable to give a page
SIGNATURE_LINE = re.compile("\u2014 (\\S+) ([A-Za-z0-9+/=]+)")

STRANGE = (ValueError, LookupError, TypeError, AttributeError)  # what reading something else than was expected raises
Fetch = Callable[[str], bytes]  # returns the body at a path of the log's server, such as `/v1/checkpoint`


class CannotCheck(Exception):
    """The log could not be read, so nothing is known about it."""


@dataclass(frozen=True)
class Head:
    """A tree head that the log's key signed."""

    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True)
class Report:
    """What was checked, and everything that was wrong, in words. `head` is None when the log could not be read."""

    head: Head | None
    checkpoints: int
    problems: list[str]
    unsigned: int = 0  # entries behind the newest head by the server's own word, which it does not sign

    @property
    def ok(self) -> bool:
        """Say whether nothing was wrong."""
        return not self.problems

    def summary(self) -> str:
        """Return the result for a person: a line for each problem, one for what is not signed, a last one for what was checked."""
        lines = [f"{'WRONG' if self.head else 'cannot check:'} {problem}" for problem in self.problems]
        if self.unsigned:
            lines += [f"NOT SIGNED, so not checked: {self.unsigned} newer entries, none signed for {SIGNED_WITHIN_S} s"]
        if self.head:
            checked = f"{self.head.size} entries of {self.head.origin} under {self.checkpoints} signed checkpoints"
            lines += [f"verified: {checked}" if self.ok else f"{len(self.problems)} problems in {checked}"]
        # Nothing that the server wrote may move a terminal's cursor: another result would stand where this one did.
        return "\n".join("".join(each if each.isprintable() else "?" for each in line) for line in lines)


class Frontier:
    """The roots of the complete subtrees of a growing tree; enough to know its root."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        self.size += 1
        merges, found = self.size, leaf
        while merges % 2 == 0:
            found = sha256(b"\x01" + self._roots.pop() + found).digest()
            merges //= 2
        self._roots.append(found)

    def root(self) -> bytes:
        """Return the root of what was added so far."""
        *others, found = self._roots or [sha256(b"").digest()]
        for left in reversed(others):
            found = sha256(b"\x01" + left + found).digest()
        return found


class Sequences:
    """Counts that must run from 1 without a gap and without a repeat, one per name."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: dict[str, dict[int, int]] = defaultdict(dict)
        self.repeats: list[str] = []

    def add(self, name: str, number: int, index: int) -> None:
        """Note that entry `index` has `number` of `name`."""
        first = self._seen[name].setdefault(int(number), index)
        if first != index:
            self.repeats.append(f"entries {first} and {index} both are number {number} of {self._what} {name}")

    def gaps(self, until: int) -> Iterator[str]:
        """Yield every run of numbers that is missing below the highest one of the first `until` entries."""
        for name, seen in sorted(self._seen.items()):
            last = max((number for number, index in seen.items() if index < until), default=0)
            for before, number in pairwise([0, *sorted(each for each in seen if each <= last)]):
                if number > before + 1:
                    missing = f"{before + 1}" if number == before + 2 else f"{before + 1} to {number - 1}"
                    yield f"{self._what} {name}: number {missing} is missing before entry {seen[number]}"


class Log:
    """Everything read from one log so far; grows when the log has grown. `roots` are those over the first so many entries."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._frontier = Frontier()
        self.roots: dict[int, bytes] = {0: self._frontier.root()}
        self.producers, self.cases = Sequences("producer"), Sequences("case")
        self.problems: list[str] = []

    def read_to(self, size: int, marks: Iterable[int]) -> None:
        """Read and check the entries up to `size`; remember the roots at the sizes `marks`."""
        wanted = {*marks, size}
        while self._frontier.size < size:
            start, end = self._frontier.size, min(self._frontier.size + PAGE, size)
            lines = self._fetch(f"/v1/entries/raw?start={start}&end={end}").splitlines()
            if not lines:
                raise CannotCheck(f"the server gave no entries from {start}, expected them up to {size}")
            for line in lines[: end - start]:  # nobody signed what is behind the head: it must fill no gap
                self._check(self._frontier.size, line)
                if self._frontier.size in wanted:
                    self.roots[self._frontier.size] = self._frontier.root()

    def missing(self, until: int) -> list[str]:
        """Return every gap in a producer's or a case's count below what the first `until` entries have."""
        return [*self.producers.gaps(until), *self.cases.gaps(until)]

    def _check(self, index: int, line: bytes) -> None:
        """Check one line: hash in the tree, salt, record (both `-` if gone), entry."""
        try:
            hexadecimal, salt, payload, entry = line.split(b" ", 3)
            in_tree = bytes.fromhex(hexadecimal.decode("ascii"))
        except ValueError:
            self.problems.append(f"entry {index}: the server's line cannot be read")
            self._frontier.append(bytes(32))
            return
        self._frontier.append(in_tree)
        if sha256(b"\x00" + entry).digest() != in_tree:
            self.problems.append(f"entry {index}: its content does not have the hash that stands in the tree")
            return
        try:
            parsed = json.loads(entry)
            if parsed["kind"] == "message":
                self._check_payload(index, parsed, salt, payload)
                self._count(index, parsed["event"])
        except STRANGE:
            self.problems.append(f"entry {index}: it does not read as an entry of a log")

    def _check_payload(self, index: int, entry: dict[str, Any], salt: bytes, payload: bytes) -> None:
        if payload == b"-":
            self.problems.append(f"entry {index}: the record that it commits to is gone")
            return
        try:
            salted, record = bytes.fromhex(salt.decode("ascii")), b64decode(payload, validate=True)
        except ValueError:
            salted = record = b""
        found = sha256(b"handrail-commit-v1\0" + salted + record).hexdigest()
        # The hash does not say where the salt ends: of another length, it could have taken a part of the record, or all of it.
        if len(salted) != SALT_BYTES or found != entry["payload"]["commit"]:
            self.problems.append(f"entry {index}: the record kept with it is not the one that it commits to")

    def _count(self, index: int, event: dict[str, Any]) -> None:
        producer = event.get("producer")
        if producer is not None and "producerseq" in event:
            self.producers.add(f"{producer}", event["producerseq"], index)
        if producer is not None and "casekey" in event and "caseseq" in event:
            self.cases.add(f"{event['casekey']} of {producer}", event["caseseq"], index)


def verify(
    fetch: Fetch,
    public_key: Ed25519PublicKey,
    *,
    saved: str | None = None,
    settle_s: float = SETTLE_S,
    pause: Callable[[float], None] = time.sleep,
) -> Report:
    """Check the whole log against its newest checkpoint, every earlier one, and the one that was `saved` last time.

    Numbers that are missing may still be on their way (topics are not ordered against each other, and after an outage the
    log is behind), so a gap counts only when it is still there after `settle_s` seconds in which the log has not grown, or
    when it has been waited for as long in a log that does not stand still for ten times that. An entry that is wrong is not waited for. Entries that are not signed yet are counted if signing stands still.

    Raises:
        CannotCheck: The server does not answer as a log, or its newest checkpoint is not signed by the key.
    """
    log = Log(fetch)
    # The newest is read last: one that was signed in between would look like an earlier one that is larger.
    earlier, problems = _history(fetch, public_key, saved)
    head = _newest(fetch, public_key)
    log.read_to(head.size, [old.size for old in earlier])
    waited, quiet, until = 0.0, 0.0, head.size
    while log.missing(until) and not log.problems and quiet < settle_s and waited < LONGEST * settle_s:
        pause(1.0)
        waited += 1.0
        earlier.append(head)
        head = _newest(fetch, public_key)
        log.read_to(head.size, ())
        quiet = 0.0 if head.size > earlier[-1].size else quiet + 1.0
        if waited <= (LONGEST - 1) * settle_s:  # a gap that shows later cannot be waited for: the next run finds it
            until = head.size
    problems += _check_roots(log, head, earlier)
    problems += [*log.problems, *log.producers.repeats, *log.cases.repeats, *log.missing(until)]
    return Report(head, len({old.size for old in earlier} | {head.size}), problems, _left_unsigned(fetch, pause))


def open_note(note: str, public_key: Ed25519PublicKey) -> Head:
    """Return the tree head in a signed note.

    Raises:
        CannotCheck: It is not a checkpoint that the key signed.
    """
    text, _, signatures = note.rpartition("\n\n")
    try:
        origin, size, root, *_ = text.split("\n")
        head = Head(origin, int(size), b64decode(root, validate=True), note)
    except ValueError:
        raise CannotCheck("expected a checkpoint (origin, size, root), got something else") from None
    name_and_key = origin.encode() + b"\n\x01" + public_key.public_bytes_raw()
    for name, encoded in SIGNATURE_LINE.findall(signatures):
        try:
            signature = b64decode(encoded)
            if name == origin and signature[:4] == sha256(name_and_key).digest()[:4]:
                public_key.verify(signature[4:], (text + "\n").encode())
                return head
        except (ValueError, InvalidSignature):
            break
    raise CannotCheck(f"the checkpoint of {origin} at size {size} is not signed by the key that you trust")


def _newest(fetch: Fetch, public_key: Ed25519PublicKey) -> Head:
    return open_note(fetch("/v1/checkpoint").decode("utf-8", "replace"), public_key)


def _page(fetch: Fetch, path: str, member: str) -> Any:
    """Return what a path gives, if it is an object with this member; else something that is no log answered."""
    try:
        page = json.loads(fetch(path))
        page[member]
    except STRANGE:
        raise CannotCheck(f"{path.partition('?')[0]} is not what a log answers: expected `{member}`") from None
    return page


def _left_unsigned(fetch: Fetch, pause: Callable[[float], None]) -> int:
    """Return how many entries wait for a signature that does not come; 0 of a server of a version that does not say so."""
    first = page = _page(fetch, NO_ENTRY, "size")
    left_s = SIGNED_WITHIN_S
    while left_s and page.get("unsigned") and page["size"] <= first["size"]:
        pause(1.0)
        left_s, page = left_s - 1, _page(fetch, NO_ENTRY, "size")
    return int(page.get("unsigned", 0)) if page["size"] <= first["size"] else 0


def _history(fetch: Fetch, public_key: Ed25519PublicKey, saved: str | None) -> tuple[list[Head], list[str]]:
    """Return the earlier checkpoints that the server still shows, the one that was saved, and what is wrong with those that do not open."""
    shown = _page(fetch, "/v1/checkpoints", "checkpoints")["checkpoints"]
    notes = {f"checkpoint {place} of the server's list": str(note) for place, note in enumerate(shown)}
    if saved is not None:
        notes["the checkpoint that you saved"] = saved
    heads, problems = [], []
    for which, note in notes.items():
        try:
            heads.append(open_note(note, public_key))
        except CannotCheck as error:
            problems.append(f"{which}: {error}")
    return heads, problems


def _check_roots(log: Log, head: Head, earlier: list[Head]) -> Iterator[str]:
    """Yield every signed head that the entries do not give, with the narrowest range that can be at fault."""
    good = 0
    for old in sorted({*earlier, head}, key=lambda one: one.size):
        if old.origin != head.origin:
            yield f"the checkpoint at size {old.size} is of another log, {old.origin}"
        elif old.size > head.size:
            yield f"the log has {head.size} entries, a checkpoint at {old.size} was signed before: it was rolled back"
        elif log.roots.get(old.size) == old.root:
            good = old.size
        else:
            yield f"the tree does not have the root signed at size {old.size}: changed in entries {good} to {old.size - 1}"


def over_http(base_url: str, token: str | None) -> Fetch:
    """Return a function that reads paths of a server, as the holder of an access token."""
    if not base_url.startswith(("http://", "https://")):
        raise CannotCheck(f"expected an http or https address, got {base_url}")
    if token and not re.fullmatch("[!-~]+", token):  # which is not quoted
        raise CannotCheck("what was given as the token is no token: expected one line of ASCII")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # No proxy may see the token on its way to a server on this machine.
    here = urlsplit(base_url).hostname in {"127.0.0.1", "::1", "localhost"}
    opener = ways.OpenerDirector()  # without what follows redirects: that would carry the token where nobody chose
    opener.add_handler(ways.ProxyHandler({} if here else None))
    for way in (ways.HTTPHandler, ways.HTTPSHandler, ways.HTTPErrorProcessor, ways.HTTPDefaultErrorHandler):
        opener.add_handler(way())

    def fetch(path: str) -> bytes:
        request = ways.Request(base_url.rstrip("/") + path, headers=headers)  # noqa: S310 - checked above
        try:
            with opener.open(request, timeout=30) as response:
                return bytes(response.read())
        except (OSError, HTTPException) as error:
            raise CannotCheck(f"{base_url}{path.partition('?')[0]} does not answer: {error}") from error

    return fetch


def read_key(key: bytes) -> Ed25519PublicKey:
    """Return the log's public key from PEM or from a verifier key (`name+id+base64`).

    Raises:
        CannotCheck: It is no Ed25519 public key.
    """
    text = key.decode("utf-8", "replace").strip()
    try:
        if text.startswith("-----"):
            found = load_pem_public_key(text.encode())
        else:
            found = Ed25519PublicKey.from_public_bytes(b64decode(text.split("+", 2)[2], validate=True)[1:])
    except (ValueError, IndexError):
        found = None
    if not isinstance(found, Ed25519PublicKey):
        raise CannotCheck("expected an Ed25519 public key, in PEM or as a verifier key")
    return found


def verify_log(base_url: str, token: str | None, key: bytes, saved: str | None = None) -> Report:
    """Check the log of the audit service at `base_url`; see `verify`. A log that cannot be read is a problem too."""
    try:
        return verify(over_http(base_url, token), read_key(key), saved=saved)
    except CannotCheck as error:
        return Report(None, 0, [str(error)])
    except STRANGE as error:
        return Report(None, 0, [f"{base_url} does not answer as a log: {error}"])


def main(arguments: list[str] | None = None) -> int:
    """Run from a shell: 0 when all is well, 1 when anything is wrong, 2 when it could not be checked or kept."""
    parser = argparse.ArgumentParser(prog="python -m handrail.verify", description="Check Handrail's log from outside.")
    parser.add_argument("url", help="address of the audit service")
    parser.add_argument("--key", type=Path, required=True, help="file with the log's public key")
    parser.add_argument("--token-file", type=Path, help="file with an access token")
    parser.add_argument("--state", type=Path, help="file that keeps the last good checkpoint")
    given = parser.parse_args(arguments)
    try:
        token = given.token_file.read_text("utf-8", "replace").strip() if given.token_file else None
        saved = given.state.read_text("utf-8", "replace") if given.state and given.state.exists() else None
        report = verify_log(given.url, token, given.key.read_bytes(), saved)
    except OSError as error:
        report = Report(None, 0, [str(error)])
    print(report.summary())  # noqa: T201 - a program for people
    if report.head is None:
        return 2
    if report.ok and given.state:
        beside = given.state.with_name(f"{given.state.name}.new")  # half a checkpoint would be WRONG ever after
        try:
            beside.write_text(report.head.note, "utf-8")
            beside.replace(given.state)
        except OSError as error:
            print(f"the checkpoint could not be kept: {error}")  # noqa: T201
            return 2
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
