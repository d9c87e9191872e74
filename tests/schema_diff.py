"""Whether events may still be read as they were written: schemas may grow, and nothing else.

`python -m schema_diff` freezes what the code says today in `tests/contracts/frozen.schema.json`. It
refuses what older entries of the log would not pass.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from campaign_events.catalogue import json_schemas

type Schema = Mapping[str, Any]

FROZEN = Path(__file__).parent / "contracts" / "frozen.schema.json"
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
SAME = ("pattern", "format", "multipleOf", "uniqueItems")


def losses(before: Mapping[str, Schema], after: Mapping[str, Schema]) -> list[str]:
    """What written events could lose, or no longer pass; by the type and the way to the field."""
    found: list[str] = []
    for name, old in before.items():
        if name in after:
            found += _Pair(old.get("$defs", {}), after[name].get("$defs", {})).of(
                name, old, after[name]
            )
        else:
            found.append(f"{name} is gone: events are for ever")
    return found


class _Pair:
    """The definitions that an older and a newer schema refer to."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new

    def of(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        olds, news = _choices(old), _choices(new)
        if len(olds) > 1 or len(news) > 1:
            yield from self._every_choice(where, olds, news)
            return
        yield from _plain(where, old, new)
        yield from self._fields(where, old, new)
        yield from self._elements(where, old, new)

    def _every_choice(self, where: str, olds: list[Schema], news: list[Schema]) -> Iterator[str]:
        for choice in olds:
            if all([*self.of(where, choice, other)] for other in news):
                shown = _resolved(choice, self._old)
                yield f"{where} takes no {shown.get('title') or _kind(shown)} any more"

    def _fields(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        fields, now = old.get("properties", {}), new.get("properties", {})
        for name, field in fields.items():
            if name in now:
                yield from self.of(f"{where}.{name}", field, now[name])
            else:
                yield f"{where}.{name} is gone"
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{where}.{name} is demanded, which older entries may not have"

    def _elements(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        for key in ("items", "additionalProperties"):
            if isinstance(new.get(key), Mapping):
                yield from self.of(f"{where}[]", old.get(key) or {}, new[key])
            elif new.get(key) is False and old.get(key) is not False:
                yield f"{where} takes no further {key}"
        olds, news = old.get("prefixItems", ()), new.get("prefixItems", ())
        if len(olds) != len(news):
            yield f"{where} has {len(news)} places, not {len(olds)}"
        for place, (was, is_) in enumerate(zip(olds, news, strict=False)):
            yield from self.of(f"{where}[{place}]", was, is_)


def _plain(where: str, old: Schema, new: Schema) -> Iterator[str]:
    """What is narrower in one schema without looking into it."""
    was, is_ = _kind(old), _kind(new)
    if is_ not in (was, "anything") and (was, is_) != ("integer", "number"):
        yield f"{where} was {was}, is {is_}"
    if (values := _values(new)) is not None:
        gone = [value for value in _values(old) or ["any value"] if value not in values]
        if gone:
            yield f"{where} is no longer {', '.join(map(str, gone))}"
    for name in LOWER:
        if name in new and new[name] > old.get(name, float("-inf")):
            yield f"{where} has a higher {name}"
    for name in UPPER:
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{where} has a lower {name}"
    for name in SAME:
        if name in new and new[name] != old.get(name):
            yield f"{where} has another {name}"


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**definitions[schema["$ref"].rpartition("/")[2]], **beside}
    return schema


def _choices(schema: Schema) -> list[Schema]:
    return list(schema.get("anyOf") or schema.get("oneOf") or [schema])


def _kind(schema: Schema) -> str:
    return str(schema.get("type", "anything"))


def _values(schema: Schema) -> list[Any] | None:
    """The only values that are allowed, if it says so."""
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None


def main() -> None:
    """Freeze the schemas of today."""
    now = json_schemas()
    if found := losses(json.loads(FROZEN.read_text()) if FROZEN.exists() else {}, now):
        sys.exit("\n".join([*found, "an event changes by a new type and an upcast (upcasts.py)"]))
    FROZEN.write_text(json.dumps(now, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
