"""Which changes of a JSON Schema would break somebody: the rule of evolution inside one major version.

A property may be added if it is optional. None may be removed, become required, change its type, or lose or gain a
value: an older producer's message must still be readable, and an older consumer must still understand what it reads.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return what breaks when `new` takes the place of `old`, one sentence each, with the path of the property."""
    return _compare(old, new, old, new, "data" if "data" in old.get("properties", {}) else "message", frozenset())


def _compare(
    old: Schema, new: Schema, old_root: Schema, new_root: Schema, path: str, seen: frozenset[str]
) -> list[str]:
    reference = old.get("$ref", "")
    if reference in seen:
        return []
    seen = seen | {reference} if reference else seen
    old, new = _resolve(old, old_root), _resolve(new, new_root)
    found = []
    if old.get("type") != new.get("type"):
        found.append(f"{path}: type {old.get('type')} became {new.get('type')}")
    before, after = set(_values(old)), set(_values(new))
    if after and before != after:
        lost, gained = sorted(before - after), sorted(after - before)
        found += [f"{path}: no longer takes {', '.join(lost)}"] if lost else []
        found += [f"{path}: an older reader does not know {', '.join(gained)}"] if gained else []
    if "pattern" in new and old.get("pattern") != new["pattern"]:
        found.append(f"{path}: pattern changed")
    required = set(new.get("required", [])) - set(old.get("required", []))
    found += [f"{path}.{name}: became required" for name in sorted(required)]
    for name, schema in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            found.append(f"{path}.{name}: was removed")
        else:
            found += _compare(schema, new["properties"][name], old_root, new_root, f"{path}.{name}", seen)
    if "items" in old and "items" in new:
        found += _compare(old["items"], new["items"], old_root, new_root, f"{path}[]", seen)
    for index, (one, other) in enumerate(zip(old.get("anyOf", []), new.get("anyOf", []), strict=False)):
        found += _compare(one, other, old_root, new_root, f"{path}|{index}", seen)
    if len(old.get("anyOf", [])) > len(new.get("anyOf", [])):
        found.append(f"{path}: takes fewer kinds of value")
    return found


def _values(schema: Schema) -> list[str]:
    return [str(value) for value in ([schema["const"]] if "const" in schema else schema.get("enum", []))]


def _resolve(schema: Schema, root: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
