"""Reads a submitted CloudEvents 1.0 event, structured or binary, by HTTP or Kafka, into one shape.

The bytes are untrusted: anything may be in them. JSON is read strictly (UTF-8, no repeated names, no NaN, bounded depth),
because two readers that disagree about a repeated name could be told two different stories. Extension attributes are let
through unread, as gateways add them; they never change what the event means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

import orjson

from services.intake.domain.problems import FieldError, Refusal, invalid

STRUCTURED: Final = "application/cloudevents+json"
BINARY: Final = "application/json"
_READ: Final = ("specversion", "id", "source", "type", "time", "traceparent", "datacontenttype", "data")


@dataclass(frozen=True, slots=True)
class RawEvent:
    """An event as it reached us.

    `attributes` has the CloudEvents attributes that stood outside the body, by bare name, in plain: what the way here encodes
    in them is decoded.
    """

    body: bytes
    content_type: str
    attributes: Mapping[str, str]

    def kept(self) -> bytes:
        """Return everything the partner sent as one byte string, for the encrypted store."""
        head = {"content_type": self.content_type, "plain": dict(self.attributes)}
        return orjson.dumps(head, option=orjson.OPT_SORT_KEYS) + b"\n" + self.body


def unkept(kept: bytes) -> RawEvent:
    """Return the event that `RawEvent.kept` packed."""
    head, _, body = kept.partition(b"\n")
    fields = orjson.loads(head)
    if "plain" not in fields:  # kept before: as in the headers of HTTP, also what came by Kafka
        fields["plain"] = {name: unquote(value) for name, value in fields["attributes"].items()}
    return RawEvent(body, fields["content_type"], fields["plain"])


def media_type(content_type: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def read(raw: RawEvent) -> dict[str, object]:
    """Return the attributes that Handrail reads, and `data`, as one mapping; nothing is checked yet.

    Raises:
        Refusal: The body is not strict JSON, or is not an object.
    """
    document = strict_json(raw.body)
    if not isinstance(document, dict):
        raise invalid(FieldError("", "the body is not an object", "a JSON object in curly brackets"))
    if media_type(raw.content_type) == STRUCTURED:
        fields = document
    else:
        fields = {**raw.attributes, "data": document}
        fields.pop("datacontenttype", None)  # in binary mode the content type is the transport's own
    return {name: fields[name] for name in _READ if name in fields} | _misspelt(fields)


def _misspelt(fields: Mapping[str, object]) -> dict[str, object]:
    """Keep base64 data, so that the validator can say that it is not taken."""
    return {"data_base64": fields["data_base64"]} if "data_base64" in fields else {}


def strict_json(body: bytes) -> object:
    """Return what JSON text says, if there is only one way to read it.

    Raises:
        Refusal: It is not strict JSON, has a name twice in one object, or is nested too deeply to be read.
    """
    try:
        document: object = orjson.loads(body)  # refuses NaN, lone surrogates, a byte order mark and great depth
        _NO_REPEATS.decode(body.decode())  # sees what the other silently drops: repeated names
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Refusal("not_json", f"The body is not JSON that can be read: see {place}. Send UTF-8 JSON.") from None
    except (ValueError, RecursionError):
        raise Refusal(
            "not_json", "The body has a whole number too long, or is nested too deeply, to be read."
        ) from None
    return document


def _no_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal("not_json", "A name stands twice in one object of the body, so its meaning is not certain.")
    return found


_NO_REPEATS: Final = json.JSONDecoder(object_pairs_hook=_no_repeats)
