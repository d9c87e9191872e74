"""The Grafana boards: complete, fresh, readable, and about metrics that there are."""

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boards.runbook import UID, sections
from boards.writing import DASHBOARDS, texts
from carillon.servers.prometheus import NoPrometheusError, configuration, mentioned, program
from carillon.stack_file import Place, StackFile
from carillon.watch.boards import (
    GRAFANA,
    ROOT,
    Expression,
    NoBoardsError,
    empty_states,
    expressions,
)
from documented_metrics import undocumented

WIDTH = 24
WORTH_READING = 20


def boards() -> dict[str, Any]:
    return {file.stem: json.loads(file.read_text()) for file in DASHBOARDS.glob("*.json")}


def panels(board: Any) -> list[Any]:
    return [one for one in board["panels"] if one["type"] != "row"]


METRIC_BOARDS = ("platform", "dispatch", "dialling", "projections")
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name in METRIC_BOARDS
    for panel in panels(boards()[name])
]


def test_the_boards_are_written_anew_whenever_their_code_changes() -> None:
    written = {file.name: file.read_text() for file in DASHBOARDS.iterdir()}
    assert written == texts(), "run `make grafana`"


def test_there_are_four_boards_of_thirty_panels_and_the_runbook() -> None:
    assert set(boards()) == {*METRIC_BOARDS, "runbook"}
    assert len(PANELS) >= 30
    assert f"{len(PANELS)} panels" in (GRAFANA / "README.md").read_text()


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_has_a_unit_a_description_a_source_and_a_link_to_its_runbook(panel: Any) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert len(panel["description"]) > WORTH_READING
    assert panel["description"].endswith(".")
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    (link,) = panel["links"]
    numbers = {one.anchor: one.number for one in sections()}
    place, anchor = link["title"].split("#")
    assert (ROOT / place).is_file()
    assert link["url"] == f"/d/{UID}?viewPanel={numbers[anchor]}"


@pytest.mark.parametrize("name", [*METRIC_BOARDS, "runbook"])
def test_no_panel_lies_upon_another(name: str) -> None:
    board = boards()[name]
    places = [one["gridPos"] for one in board["panels"]]
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    assert all(one["x"] + one["w"] <= WIDTH for one in places)
    numbers = [one["id"] for one in board["panels"]]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("name", METRIC_BOARDS)
def test_every_line_of_panels_reaches_from_side_to_side(name: str) -> None:
    lines: dict[int, int] = {}
    for one in boards()[name]["panels"]:
        lines[one["gridPos"]["y"]] = lines.get(one["gridPos"]["y"], 0) + one["gridPos"]["w"]
    assert set(lines.values()) == {WIDTH}


def test_boards_ask_for_metrics_that_are_documented() -> None:
    for one in expressions("1m"):
        assert mentioned(one.text), one
        assert undocumented(one.text) == set(), one


def test_no_variable_stays_in_what_prometheus_is_asked() -> None:
    everything = expressions("1m")
    assert [one.text for one in everything if "$" in one.text] == []
    places = [one.place for one in everything]
    assert len(set(places)) == len(places)


def test_every_documented_empty_state_says_why() -> None:
    for one in empty_states():
        assert one.why, one


def test_an_empty_state_speaks_of_one_line_of_a_panel_or_of_all() -> None:
    (state,) = (one for one in empty_states() if one.board == "dispatch")
    assert state.legend is not None
    assert state.covers(Expression("dispatch", state.panel, state.legend, "x"))
    assert not state.covers(Expression("dispatch", state.panel, "another", "x"))
    assert replace(state, legend=None).covers(Expression("dispatch", state.panel, "another", "x"))


def test_a_folder_without_boards_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoBoardsError, match="make install"):
        expressions("1m", tmp_path)


def test_grafana_finds_the_boards_and_their_source() -> None:
    source = (GRAFANA / "provisioning/datasources/prometheus.yml").read_text()
    assert "uid: prometheus\n" in source
    for board in (boards()[name] for name in METRIC_BOARDS):
        (variable,) = (it for it in board["templating"]["list"] if it["type"] == "datasource")
        assert variable["current"]["value"] == "prometheus"
    provider = (GRAFANA / "provisioning/dashboards/carillon.yml").read_text()
    assert "path: /var/lib/carillon/dashboards\n" in provider


def test_every_process_of_a_service_is_scraped_as_the_service() -> None:
    names = ("nats", "dispatcher", "dispatcher-2", "read_model")
    places = {name: Place(1, f"http://127.0.0.1:{port}") for port, name in enumerate(names, 1)}
    told = configuration(StackFile("", "", "", places, ""), Path("rules.yml"))
    jobs = {it["job_name"]: it["static_configs"][0]["targets"] for it in told["scrape_configs"]}
    assert jobs == {
        "campaign": [],
        "moderation": [],
        "dispatcher": ["127.0.0.1:2", "127.0.0.1:3"],
        "dialler": [],
        "read_model": ["127.0.0.1:4"],
    }


def test_who_has_no_prometheus_is_told_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPrometheusError, match="`make prometheus`"):
        program()
