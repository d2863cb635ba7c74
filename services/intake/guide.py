"""What each event type may contain, field by field, from the schemas: for the pages, the reference and OpenAPI.

Everything is read off the models, so it cannot be out of date: kinds, words and limits, titles, meanings and examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import orjson

from schemas.submission import only
from schemas.submissions import SUBMISSIONS
from services.intake.domain.cloudevent import BINARY, STRUCTURED

_TIME: Final = "2026-06-01T09:15:00Z"


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its place in `data`, what it is called, whether it is needed, what may stand there, what it means."""

    path: str
    title: str
    needed: bool
    kind: str
    meaning: str
    example: Any


@dataclass(frozen=True, slots=True)
class EventPage:
    """One event type. `only` says who alone may report it, or is empty."""

    type: str
    title: str
    summary: str
    only: str
    fields: tuple[Field, ...]
    example: dict[str, Any]

    @property
    def example_text(self) -> str:
        """The example as indented JSON."""
        return orjson.dumps(self.example, option=orjson.OPT_INDENT_2).decode()


@cache
def pages() -> dict[str, EventPage]:
    """Return the page of every event type, in the order of the schemas."""
    return {type_: _page(type_) for type_ in SUBMISSIONS}


def _page(type_: str) -> EventPage:
    schema = SUBMISSIONS[type_].model_json_schema()
    models = schema.get("$defs", {})
    example = {
        "specversion": "1.0",
        "id": "example-1",
        "source": "urn:example:your-system",
        "type": type_,
        "time": _TIME,
        "data": _example(schema, models),
    }
    fields = tuple(_fields(schema, models))
    return EventPage(
        type_, schema["title"], schema["description"], only(SUBMISSIONS[type_].reported_by), fields, example
    )


def _fields(node: dict[str, Any], models: dict[str, Any], prefix: str = "") -> Iterator[Field]:
    for name, part in node["properties"].items():
        inner, is_list = _inner(part, models)
        path = f"{prefix}{name}" + ("[]" if is_list else "")
        needed = name in node.get("required", ())
        yield Field(path, part["title"], needed, _kind(part), part["description"], _shown(part))
        if inner is not None:
            yield from _fields(inner, models, f"{path}.")


def _shown(part: dict[str, Any]) -> Any:
    return next(iter(part.get("examples", ())), None)


def _example(node: dict[str, Any], models: dict[str, Any]) -> dict[str, Any]:
    """Return the example of an object: that of each part, and without the parts that have none."""
    found: dict[str, Any] = {}
    for name, part in node["properties"].items():
        inner, is_list = _inner(part, models)
        value = _shown(part) if inner is None else _example(inner, models)
        if value not in (None, {}):
            found[name] = [value] if is_list else value
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
        case {"type": "array", "items": {"enum": words}}:
            kind = "list of some of " + ", ".join(f"`{word}`" for word in words)
        case {"type": "array", "items": {"type": "string"} as one}:
            kind = f"list of {_kind_of(one)}"
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
    examples = {name: {"summary": page.title, "value": page.example} for name, page in pages().items()}
    bare = {name: {"summary": page.title, "value": page.example["data"]} for name, page in pages().items()}
    structured = {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {
                "type": "string",
                "description": "Yours, never made of a name; the same event sent again has the same id.",
            },
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
        only = f" {page.only}" if page.only else ""
        rows = [
            f"| `{one.path}` | {'yes' if one.needed else ''} | {_cell(one.kind)} | {_cell(f'{one.title}. {one.meaning}')} |"
            for one in page.fields
        ]
        parts.append(
            f"## {page.type}\n\n{page.title}. {page.summary}{only}\n\n"
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
| `id` | yours, 1 to 128 printable characters without spaces; the same event sent again has the same id; never made of a name, or of a person's number |
| `source` | a URI reference of your system |
| `type` | one of the types below |
| `time` | when it happened, with offset |
"""

if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - this is what running it is for
