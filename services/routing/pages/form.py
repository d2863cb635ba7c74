"""Forms made from the schemas of submissions: which fields a page shows, and the event data that an answer means. Pure.

A field's name is its path in the event (`children.0.harm`), so an error that intake points at finds its field; what it
is called and means is what the schema says. Dates are three boxes and instants a date with a time of day in England; what is left empty is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, Literal

from pydantic import BaseModel

from schemas.calendar.london import LONDON
from schemas.field_faults import MISSING
from schemas.vocabulary import load

Kind = Literal[
    "choice",
    "long_choice",
    "choices",
    "body",
    "date",
    "instant",
    "number",
    "text",
    "long_text",
    "lines",
    "text_or_number",
]
Json = dict[str, Any]
LONG: Final = 500  # characters from which a text gets a large box
MOST_RADIOS: Final = 20  # a longer list is chosen from a drop-down one
_SPACES: Final = str.maketrans("_.", "  ")


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form."""

    name: str
    label: str
    hint: str
    kind: Kind
    options: tuple[str, ...]
    required: bool

    @property
    def id(self) -> str:
        """Return the id of its first input, to which an error leads."""
        suffix = {"date": "-day", "instant": "-day", "choices": f"-{self.options[0]}" if self.options else ""}
        return self.name.replace(".", "-") + suffix.get(self.kind, "")

    @property
    def items(self) -> list[dict[str, str]]:
        """Return its options, each with the words that a person reads."""
        words = (option.replace("not_notify", "do_not_notify").translate(_SPACES) for option in self.options)
        return [{"value": value, "text": text.capitalize()} for value, text in zip(self.options, words, strict=True)]


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together; the first section of a form has no title."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class FormError:
    """What is wrong with an answer; `field` None if it is about the whole form."""

    field: str | None
    text: str


def sections(model: type[BaseModel], repeats: int = 1) -> tuple[Section, ...]:
    """Return the form of a submission; lists get `repeats` entries."""
    schema = model.model_json_schema()
    found = _Reading(schema.get("$defs", {}), repeats)
    found.object(schema, "", "")
    return tuple(Section(title, tuple(fields)) for title, fields in found.sections if fields)


class _Reading:
    """Walks a JSON Schema and collects its questions."""

    def __init__(self, definitions: Mapping[str, Json], repeats: int) -> None:
        self._definitions = definitions
        self._repeats = repeats
        self.sections: list[tuple[str, list[Field]]] = []

    def object(self, schema: Json, prefix: str, title: str) -> None:
        fields: list[Field] = []
        self.sections.append((title, fields))
        required = schema.get("required", ())
        for name, node in schema["properties"].items():
            self._property(fields, f"{prefix}{name}", node, required=name in required)

    def _property(self, fields: list[Field], path: str, node: Json, *, required: bool) -> None:
        variants = [each for each in map(self._resolve, node.get("anyOf", [node])) if each.get("type") != "null"]
        main = variants[0]
        if main.get("type") == "object":
            self.object(main, f"{path}.", node["title"])
        elif main.get("type") == "array" and "properties" in (entry := self._resolve(main["items"])):
            for number in range(self._repeats):
                self.object(entry, f"{path}.{number}.", f"{entry['title']} {number + 1}")
        else:
            kind, options = ("body", ()) if _names_a_body(node) else _kind(variants)
            hint = node["description"].replace("`", "")
            fields.append(Field(path, node["title"], hint, kind, options, required))

    def _resolve(self, node: Json) -> Json:
        reference = node.get("$ref")
        return {**self._definitions[reference.rpartition("/")[2]], **node} if reference else node


_SIMPLE: Final[Mapping[str, Kind]] = {"integer": "number", "date": "date", "date-time": "instant"}


def _names_a_body(node: Json) -> bool:
    return "fact" in node and load()[node["fact"]].kind == "body"


def _kind(variants: Sequence[Json]) -> tuple[Kind, tuple[str, ...]]:
    main = variants[0]
    if "enum" in main:
        return ("choice" if len(main["enum"]) <= MOST_RADIOS else "long_choice"), tuple(main["enum"])
    if main.get("type") == "array":
        several = tuple(main["items"].get("enum", ()))
        return "choices" if several else "lines", several
    if {each.get("type") for each in variants} >= {"string", "integer"}:
        return "text_or_number", ()
    simple: Kind | None = _SIMPLE.get(str(main.get("format", main.get("type"))))
    return simple or ("long_text" if main.get("maxLength", 0) >= LONG else "text"), ()


def _words(path: str) -> str:
    words = path.translate(_SPACES).strip()
    return words[:1].upper() + words[1:]


def read(form: Mapping[str, str], shown: Sequence[Section]) -> tuple[Json, list[FormError]]:
    """Return the event data that the answers mean, and what could not be read."""
    data: Json = {}
    errors: list[FormError] = []
    for field in (field for section in shown for field in section.fields):
        try:
            value = _value(field, form)
        except ValueError as error:
            errors.append(FormError(field.name, str(error)))
            continue
        if value is not None:
            _put(data, field.name.split("."), value)
        elif field.kind == "text_or_number":
            _put(data, field.name.split("."), None)  # left empty on purpose: the fact is withdrawn
    return _lists(data), errors


def _value(field: Field, form: Mapping[str, str]) -> str | int | list[str] | None:
    match field.kind:
        case "choices":
            return [option for option in field.options if form.get(f"{field.name}-{option}")] or None
        case "date" | "instant":
            return _moment(field, form)
        case _:
            text = form.get(field.name, "").strip()
    if not text:
        return None
    if field.kind == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if field.kind == "number" or (field.kind == "text_or_number" and text.isascii() and text.isdigit()):
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"{field.label} must be a whole number")
        return int(text)
    return text


def _moment(field: Field, form: Mapping[str, str]) -> str | None:
    on, clock = day_of(field.name, field.label, form), form.get(f"{field.name}-time", "").strip()
    if on is None:
        if clock:
            raise ValueError(f"{field.label} must have a day as well as a time")
        return None
    if field.kind == "date":
        return on.isoformat()
    return datetime.combine(on, time_of(field.label, clock), LONDON).isoformat()


def day_of(name: str, label: str, form: Mapping[str, str]) -> date | None:
    """Return the day in the three boxes of a field, None if they are empty.

    Raises:
        ValueError: They are no date; the text says so of `label`.
    """
    parts = [form.get(f"{name}-{part}", "").strip() for part in ("day", "month", "year")]
    if not any(parts):
        return None
    try:
        day, month, year = map(int, parts)
        return date(year, month, day)
    except (ValueError, OverflowError):
        raise ValueError(f"{label} must be a real date, such as 23 11 2026") from None


def time_of(label: str, text: str) -> time:
    """Return a time of day as typed.

    Raises:
        ValueError: It is none; the text says so of `label`.
    """
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:  # the day is England's, and so is the time
        raise ValueError(f"{label} must have a time of day, such as 09:30")
    return found


def _put(data: Json, path: Sequence[str], value: object) -> None:
    *parents, last = path
    for parent in parents:
        data = data.setdefault(parent, {})
    data[last] = value


def _lists(data: Any) -> Any:
    """Turn objects whose keys are numbers into lists, in order."""
    if not isinstance(data, dict):
        return data
    found = {name: _lists(value) for name, value in data.items()}
    if found and all(name.isdigit() for name in found):
        return [found[name] for name in sorted(found, key=int)]
    return found


def errors_of(problem: Json, shown: Sequence[Section], form: Mapping[str, str] | None = None) -> list[FormError]:
    """Return intake's problem details as errors of the form's fields; what points elsewhere is about the whole form.

    Args:
        problem: What intake answered.
        shown: The form.
        form: Its answers: an entry of a list that was left empty is none of the event, and those behind it have moved up.
    """
    numbers = _numbers(form or {}, shown)
    names = {field.name: _called(section, field) for section in shown for field in section.fields}
    found = [
        error
        for each in problem.get("errors", ())
        for path in (_path(str(each.get("pointer", "")), numbers),)
        for error in _lacking(each, path, names, shown) or [_error(each, path, names)]
    ]
    return found or [FormError(None, str(problem.get("detail") or problem.get("title") or "it was refused"))]


def _called(section: Section, field: Field) -> str:
    return f"{section.title}: {field.label}" if section.title else field.label


def _numbers(form: Mapping[str, str], shown: Sequence[Section]) -> dict[str, list[str]]:
    """Return, of each list, which of its entries on the form were answered."""
    found: dict[str, list[str]] = {}
    for name in (field.name for section in shown for field in section.fields if _is_answered(field, form)):
        parts = name.split(".")
        for place in (place for place, part in enumerate(parts) if part.isdigit()):
            numbers = found.setdefault(".".join(parts[:place]), [])
            if parts[place] not in numbers:
                numbers.append(parts[place])
    return found


def _is_answered(field: Field, form: Mapping[str, str]) -> bool:
    try:
        return _value(field, form) is not None
    except ValueError:
        return True


def _lacking(error: Json, path: str, names: Mapping[str, str], shown: Sequence[Section]) -> list[FormError]:
    """Return what to answer where all of a part of the event is missing, which is no question itself; else nothing."""
    section = next((each for each in shown if each.fields and each.fields[0].name.startswith(f"{path}.")), None)
    if not path or section is None or error.get("detail") != MISSING:
        return []
    needed = [field.name for each in shown for field in each.fields if field.required and _is_of(path, field.name)]
    if needed:
        return [FormError(name, f"{names[name]}: {MISSING}") for name in needed]
    return [FormError(section.fields[0].name, f"{section.title}: answer at least one of these questions")]


def _is_of(path: str, name: str) -> bool:
    """Say whether a question is of a part of the event itself, or of its first entry, and not of a part of that part."""
    return name.startswith(f"{path}.") and "." not in name.removeprefix(f"{path}.").removeprefix("0.")


def _error(error: Json, path: str, names: Mapping[str, str]) -> FormError:
    detail = str(error.get("detail") or error.get("reason") or "cannot be used")
    if error.get("expected") and detail != MISSING:  # the question itself says what was to stand there
        detail += f"; expected {error['expected']}"
    if error.get("hint"):
        detail += f"; {error['hint']}"
    if path in names:
        return FormError(path, f"{names[path]}: {detail}")
    return FormError(None, f"{_words(path)}: {detail}" if path else detail)


def _path(pointer: str, numbers: Mapping[str, Sequence[str]]) -> str:
    """Return the name of what a pointer points at, as it stands on the form."""
    path = ""
    for part in _pointed(pointer):
        entries = numbers.get(path, ()) if part.isdigit() else ()
        found = entries[int(part)] if entries and int(part) < len(entries) else part
        path = f"{path}.{found}" if path else found
    return path


def _pointed(pointer: str) -> Iterator[str]:
    parts = [part for part in pointer.lstrip("#").split("/") if part]
    yield from parts[1:] if parts[:1] == ["data"] else parts
