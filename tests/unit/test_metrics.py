"""`docs/metrics.md` says what is exposed, and what is exposed may be."""

import importlib
import pkgutil

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from campaign_events.bulk_histogram import BulkHistogram, spread
from campaign_events.vitals import Age
from metrics_table import (
    DOCUMENT,
    HEADER,
    SERVICES,
    differences,
    documented,
    exposed,
    offences,
)

ROW = f"{HEADER}\n|---|---|---|---|---|---|\n"


def test_every_metric_is_documented_and_every_documented_one_is_there() -> None:
    for package in ("campaign_events", *SERVICES):
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            importlib.import_module(module.name)
    assert differences(documented(DOCUMENT.read_text()), exposed(REGISTRY)) == []


def test_no_label_knows_no_bounds_and_every_name_tells_its_unit() -> None:
    assert offences(documented(DOCUMENT.read_text())) == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            "| `carillon_x_total` | counter | xs | - | all | It. |",
            "carillon_calls_total is exposed",
        ),
        (
            "| `carillon_calls_total` | gauge | calls | link | all | It. |",
            "is a counter, documented",
        ),
        ("| `carillon_calls_total` | counter | calls | - | all | It. |", "has the labels ['link']"),
        (
            "| `carillon_other` | gauge | other | - | all | It. |",
            "carillon_other is documented and",
        ),
    ],
)
def test_what_document_and_registry_say_differently_is_found(row: str, fault: str) -> None:
    registry = CollectorRegistry()
    Counter("carillon_calls", "Calls", ["link"], registry=registry)
    assert fault in " ".join(differences(documented(ROW + row), exposed(registry)))


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("`carillon_calls_total` | counter | calls | campaign", "has the label campaign"),
        ("`carillon_calls_total` | counter | calls | phone, link", "has the label phone"),
        ("`carillon_turn` | histogram | seconds | -", "does not name its unit"),
        ("`carillon_turn_ms` | gauge | ms | -", "does not name its unit"),
        ("`carillon_link` | gauge | bool | -", "does not name its unit"),
        ("`carillon_seats_total` | gauge | seats | -", "is a gauge"),
        ("`carillon_dials` | counter | dials | -", "is a counter"),
    ],
)
def test_what_no_metric_may_be_is_found(row: str, fault: str) -> None:
    assert fault in " ".join(offences(documented(f"{ROW}| {row} | all | It. |")))


def test_a_batch_of_values_is_spread_over_the_buckets_with_bounds_included() -> None:
    counts = [0, 0, 0]
    assert spread([0.1, 1, 1.5, 10, 11], (1, 10), counts) == pytest.approx(23.6)
    assert counts == [2, 2, 1]


def test_a_histogram_filled_in_bulk_says_what_the_usual_one_says() -> None:
    registry = CollectorRegistry()
    one = BulkHistogram("carillon_x_seconds", "X", "link", (0.5, 2), registry)
    one.fill("sim", [0.1, 0.5, 1.0])
    one.fill("sim", [3.0])
    said = {
        bound: registry.get_sample_value("carillon_x_seconds_bucket", {"link": "sim", "le": bound})
        for bound in ("0.5", "2.0", "+Inf")
    }
    assert said == {"0.5": 2, "2.0": 3, "+Inf": 4}
    assert registry.get_sample_value("carillon_x_seconds_sum", {"link": "sim"}) == 4.6
    assert registry.get_sample_value("carillon_x_seconds_count", {"link": "sim"}) == 4
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        Gauge("carillon_x_seconds", "Again", registry=registry)


def test_a_view_that_keeps_up_is_not_late_and_one_that_stands_still_is() -> None:
    age = Age()
    assert age.at(0, end=10, seq=10) == 0
    assert age.at(2, end=20, seq=15) == 0, "nobody knows for how long"
    assert age.at(4, end=30, seq=25) == 0, "what there was two seconds ago is in the view"
    assert age.at(6, end=40, seq=25) == 2
    assert age.at(100, end=40, seq=25) == 96
    assert age.at(102, end=40, seq=35) == 96
    assert age.at(104, end=40, seq=40) == 0
