"""What `docs/metrics.md` says of metrics, what is exposed, and how the two differ."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

DOCUMENT = Path(__file__).parents[1] / "docs" / "metrics.md"
SERVICES = ("campaign", "moderation", "dispatcher", "dialler", "read_model")
HEADER = "| name | type | unit | labels | services | meaning |"
BOUNDED = frozenset(
    (
        *("method", "route", "status", "command", "outcome", "kind", "type", "reason", "stream"),
        *("reaction", "verdict", "reader", "projection", "link", "state", "told", "meaning"),
        *("telephony", "core", "fate", "service", "version", "certificate"),
    )
)
"""The labels that there may be: none of them grows with customers, campaigns or people."""
UNITS = frozenset(("seconds", "bytes", "ratio", "info", "bool"))
OTHER_UNITS = frozenset(("milliseconds", "minutes", "hours", "days", "kilobytes", "percents"))
"""Prometheus counts in base units."""
_PLURAL = re.compile(r"[a-z]{3,}s")


@dataclass(frozen=True)
class Told:
    """A metric, as the document or the registry tells it."""

    name: str
    type: str
    labels: frozenset[str]
    unit: str = ""
    services: frozenset[str] = frozenset()


def documented(text: str) -> dict[str, Told]:
    """The rows of every table of the document."""
    rows: dict[str, Told] = {}
    for line in text.splitlines():
        if not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        name, kind, unit, labels, services, meaning = cells
        who = SERVICES if services == "all" else services.split(", ")
        assert name.strip("`") not in rows, f"{name} is told twice"
        assert meaning, f"{name} has no meaning"
        named = frozenset() if labels == "-" else frozenset(labels.split(", "))
        rows[name.strip("`")] = Told(name.strip("`"), kind, named, unit, frozenset(who))
    return rows


def exposed(registry: CollectorRegistry) -> dict[str, Told]:
    """Every metric that the imported modules have made, with labels that no sample has yet."""
    labels = {
        name: frozenset(getattr(collector, "_labelnames", ()))
        for collector, names in registry._collector_to_names.items()
        for name in names
    }
    return {one.name: one for one in _told(registry.collect(), labels)}


def _told(families: Iterable[Metric], labels: Mapping[str, frozenset[str]]) -> Iterator[Told]:
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        of_samples = {label for sample in family.samples for label in sample.labels} - {"le"}
        yield Told(name, family.type, labels.get(family.name, frozenset()) | of_samples)


def differences(documents: Mapping[str, Told], there: Mapping[str, Told]) -> list[str]:
    """What is told of one side only, or told otherwise."""
    faults = [f"{name} is exposed and not documented" for name in there.keys() - documents.keys()]
    faults += [f"{name} is documented and not exposed" for name in documents.keys() - there.keys()]
    for name in documents.keys() & there.keys():
        document, found = documents[name], there[name]
        if document.type != found.type:
            faults.append(f"{name} is a {found.type}, documented as a {document.type}")
        if document.labels != found.labels:
            faults.append(f"{name} has the labels {sorted(found.labels)}")
    return sorted(faults)


def offences(documents: Mapping[str, Told]) -> list[str]:
    """What no metric of ours may be: without a unit, or with a label that knows no bounds."""
    ours = [one for one in documents.values() if one.name.startswith("carillon_")]
    faults = [f"{one.name} has the label {label}" for one in ours for label in one.labels - BOUNDED]
    faults += [f"{one.name} does not name its unit" for one in ours if not _names_unit(one)]
    for one in ours:
        if one.name.endswith("_total") != (one.type == "counter"):
            faults.append(f"{one.name} is a {one.type}")
    return sorted(faults)


def _names_unit(one: Told) -> bool:
    if one.unit == "bool":
        return one.name.endswith("_up")
    if one.unit in UNITS:
        return one.name.removesuffix("_total").endswith(f"_{one.unit}")
    is_noun = _PLURAL.fullmatch(one.unit) is not None and one.unit not in OTHER_UNITS
    return is_noun and one.unit in one.name.split("_")
