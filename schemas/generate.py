"""Write the contract as files for people who do not read Python: JSON Schema for each message, AsyncAPI for the topics.

`python -m schemas.generate` writes them to `schemas/generated/`; with `--check` it only compares and exits 1 on a
difference, and refuses a change that would break a released version (`schemas/released/`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import orjson
from pydantic import TypeAdapter

from schemas import topics
from schemas.case_events import CaseEvent
from schemas.compatibility import breaks
from schemas.deadlines import DeadlineMessage
from schemas.decisions import DecisionMessage
from schemas.deliveries import DeliveryMessage
from schemas.envelope import Model
from schemas.messages import MESSAGES, types_of
from schemas.notices import Notice
from schemas.quarantines import QuarantineMessage
from schemas.submissions import SUBMISSIONS

GENERATED: Final = Path(__file__).parent / "generated"
RELEASED: Final = Path(__file__).parent / "released"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_CHANNELS: Final = {
    topics.CASE_EVENTS: ("intake", CaseEvent),
    topics.DECISIONS: ("routing", DecisionMessage),
    topics.DELIVERIES: ("routing", DeliveryMessage),
    topics.DEADLINES: ("deadlines", DeadlineMessage),
    **{topics.quarantine(service): (service, QuarantineMessage) for service in topics.SERVICES},
}


def documents() -> Iterator[tuple[str, bytes]]:
    """Yield (path below `schemas/generated/`, content) for every file of the contract."""
    for type_, message in MESSAGES.items():
        yield f"messages/{type_}.json", _pretty(schema_of(message, type_))
    for type_, data in SUBMISSIONS.items():
        yield f"submissions/{type_}.json", _pretty(schema_of(data, f"submission:{type_}"))
    yield "notice.v1.json", _pretty(schema_of(Notice, "notice.v1"))
    yield "asyncapi.json", _pretty(asyncapi())


def schema_of(model: type[Model], name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one model as it stands on the wire."""
    schema = TypeAdapter(model).json_schema(by_alias=True, mode="validation")
    return {"$schema": _DIALECT, "$id": f"urn:handrail:{name}", **schema}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 description: which service sends what on which topic."""
    channels, operations = {}, {}
    for topic, (service, union) in _CHANNELS.items():
        names = [name for cls in get_args(get_args(union)[0]) for name in types_of(cls)]
        channels[topic] = {
            "address": topic,
            "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        }
        operations[f"{service}-sends-{topic}"] = {"action": "send", "channel": {"$ref": f"#/channels/{topic}"}}
    messages = {
        name: {
            "name": name,
            "contentType": "application/cloudevents+json",
            "summary": (cls.__doc__ or "").strip(),
            "payload": {
                "schemaFormat": f"application/schema+json;version={_DIALECT}",
                "schema": {"$ref": f"messages/{name}.json"},
            },
        }
        for name, cls in MESSAGES.items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Handrail",
            "version": "1.0.0",
            "description": "Kafka topics. No message carries personal data.",
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def drift() -> list[str]:
    """Return the files that differ from what would be written now, and those that should not be there."""
    wanted = {GENERATED / path: content for path, content in documents()}
    wrong = [path for path, content in wanted.items() if not path.exists() or path.read_bytes() != content]
    wrong += [path for path in GENERATED.rglob("*.json") if path not in wanted]
    return sorted(str(path.relative_to(GENERATED)) for path in wrong)


def broken_promises() -> list[str]:
    """Return what a released schema promised and the present one no longer keeps, one sentence each."""
    present = dict(documents())
    found = []
    for path in sorted(RELEASED.rglob("*.json")):
        name = str(path.relative_to(RELEASED).as_posix()).split("/", 1)[1]
        if name == "asyncapi.json":
            continue
        if name not in present:
            found.append(f"{name}: was released and is gone")
            continue
        found += [
            f"{name}: {change}" for change in breaks(orjson.loads(path.read_bytes()), orjson.loads(present[name]))
        ]
    return found


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` compare them."""
    if "--check" in arguments:
        problems = [f"schemas/generated/{path} is out of date: run `make schemas`" for path in drift()]
        problems += broken_promises()
        print("\n".join(problems) or "The generated schemas are current and keep every released promise.")  # noqa: T201
        return 1 if problems else 0
    for stale in GENERATED.rglob("*.json"):
        stale.unlink()
    for path, content in documents():
        target = GENERATED / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return 0


def _pretty(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
