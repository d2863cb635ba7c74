"""What each event type may contain, field by field, from the schemas: for the pages, the reference and OpenAPI.

Kinds, words and limits are read off the models, so they cannot be out of date; meanings and examples stand in
`fields.yaml`, where a test finds one for every field.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import orjson
import yaml

from schemas.submissions import AUTHORITY_ONLY, SUBMISSIONS
from services.intake.domain.cloudevent import BINARY, STRUCTURED

_TIME: Final = "2026-06-01T09:15:00Z"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its place in `data`, whether it is needed, what may stand there, what it means."""

    path: str
    needed: bool
    kind: str
    meaning: str
    example: Any


@dataclass(frozen=True, slots=True)
class EventPage:
    """One event type."""

    type: str
    summary: str
    authority_only: bool
    fields: tuple[Field, ...]
    example: dict[str, Any]

    @property
    def example_text(self) -> str:
        """The example as indented JSON."""
        return orjson.dumps(self.example, option=orjson.OPT_INDENT_2).decode()


@cache
def _words() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(
        resources.files("services.intake").joinpath("fields.yaml").read_text("utf-8")
    )
    return found


@cache
def pages() -> dict[str, EventPage]:
    """Return the page of every event type, in the order of the schemas."""
    return {type_: _page(type_) for type_ in SUBMISSIONS}


def _page(type_: str) -> EventPage:
    model = SUBMISSIONS[type_]
    schema = model.model_json_schema()
    summary = (model.__doc__ or "").strip()
    example = {
        "specversion": "1.0",
        "id": "example-1",
        "source": "urn:example:your-system",
        "type": type_,
        "time": _TIME,
        "data": _example(type_, schema, schema.get("$defs", {}), ""),
    }
    return EventPage(type_, summary, type_ in AUTHORITY_ONLY, tuple(_fields(type_, schema)), example)


def _fields(type_: str, schema: dict[str, Any]) -> Iterator[Field]:
    yield from _walk(type_, schema, schema.get("$defs", {}), "")


def _walk(type_: str, node: dict[str, Any], models: dict[str, Any], prefix: str) -> Iterator[Field]:
    for name, part in node["properties"].items():
        inner, is_list = _inner(part, models)
        path = f"{prefix}{name}" + ("[]" if is_list else "")
        words = _said(type_, path)
        needed = name in node.get("required", ())
        yield Field(path, needed, _kind(part), words["means"], words.get("example"))
        if inner is not None:
            yield from _walk(type_, inner, models, f"{path}.")


def _said(type_: str, path: str) -> dict[str, Any]:
    """Return the words about a field: for this event type, for its place in its parent, or for its name."""
    words, place = _words(), path.replace("[]", "").split(".")
    for name in (f"{type_} {'.'.join(place)}", ".".join(place[-2:])):
        if name in words:
            return words[name]
    return words[place[-1]]


def _example(type_: str, node: dict[str, Any], models: dict[str, Any], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, part in node["properties"].items():
        inner, is_list = _inner(part, models)
        words = _said(type_, prefix + name)
        if inner is not None and "example" not in words:
            value: Any = _example(type_, inner, models, f"{prefix}{name}.")
            found[name] = [value] if is_list else value
        elif words["example"] is not None:
            found[name] = words["example"]
    return found


def _inner(part: dict[str, Any], models: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """Return the model that a field holds, if it holds one, and whether it holds a list of them."""
    for option in part.get("anyOf", [part]):
        held = option.get("items", option)
        if "$ref" in held:
            return models[held["$ref"].rpartition("/")[2]], "items" in option
    return None, False


def _kind(part: dict[str, Any]) -> str:
    options = [one for one in part.get("anyOf", [part]) if one.get("type") != "null"]
    return " or ".join(_kind_of(one) for one in options)


_FORMATS: Final = {"date": "date, YYYY-MM-DD", "date-time": "date and time with offset", "uuid": "UUID"}


def _kind_of(option: dict[str, Any]) -> str:
    match option:
        case {"enum": words}:
            kind = "one of " + ", ".join(f"`{word}`" for word in words)
        case {"const": word}:
            kind = f"`{word}`"
        case {"format": name}:
            kind = _FORMATS[name]
        case {"type": "integer", "minimum": least, "maximum": most}:
            kind = f"whole number, {least} to {most}"
        case {"pattern": pattern}:
            kind = f"text like `{pattern}`"
        case {"type": "string", "maxLength": longest}:
            kind = f"text, at most {longest} characters"
        case {"type": name}:
            kind = {"array": "list", "string": "text", "integer": "whole number"}[name]
        case _:
            kind = "object"
    return kind


def request_body() -> dict[str, Any]:
    """Return OpenAPI's description of the body of `POST /v1/events`, with an example of every type."""
    examples = {name: {"summary": page.summary, "value": page.example} for name, page in pages().items()}
    bare = {name: {"summary": page.summary, "value": page.example["data"]} for name, page in pages().items()}
    structured = {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "description": "Yours; the same event sent again has the same id."},
            "source": {"type": "string", "description": "A URI reference of your system."},
            "type": {"enum": list(SUBMISSIONS)},
            "time": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": {"type": "object", "description": "See /docs/events for the fields of each type."},
        },
    }
    return {
        "requestBody": {
            "required": True,
            "content": {
                STRUCTURED: {"schema": structured, "examples": examples},
                BINARY: {"schema": {"type": "object"}, "examples": bare},
            },
        }
    }


def markdown() -> str:
    """Return the page `docs/reference/events.md`."""
    parts = [_INTRODUCTION]
    for page in pages().values():
        only = " Only a local authority may report it." if page.authority_only else ""
        rows = [
            f"| `{one.path}` | {'yes' if one.needed else ''} | {_cell(one.kind)} | {_cell(one.meaning)} |"
            for one in page.fields
        ]
        parts.append(
            f"## {page.type}\n\n{page.summary}{only}\n\n"
            "| field of `data` | needed | what may stand there | meaning |\n|---|---|---|---|\n"
            + "\n".join(rows)
            + f"\n\n```json\n{page.example_text}\n```\n"
        )
    return "\n".join(parts)


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")


_INTRODUCTION: Final = """# Events that a partner may report

Made from the schemas by `python -m services.intake.guide`; a test fails if it is not up to date. How to send one:
[Send an event](../how-to/send-an-event.md).

An event is a [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) event. Its `data` is
closed: a field that is not listed here is refused, with the nearest name that exists. Values are strict: `"3"` is not a
number and `false` is not "no". `"unknown"` means the same as leaving a field out. Everything that could identify a person
goes into `personal`, free text too; it is kept encrypted and never passed on but under a grant.

| attribute | what may stand there |
|---|---|
| `specversion` | `1.0` |
| `id` | yours, 1 to 128 printable characters without spaces; the same event sent again has the same id |
| `source` | a URI reference of your system |
| `type` | one of the types below |
| `time` | when it happened, with offset |
"""

if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - this is what running it is for
