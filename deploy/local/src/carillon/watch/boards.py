"""What the Grafana boards ask Prometheus, read from the JSON that Grafana loads."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carillon.errors import PlainError
from carillon.services import package_folder

ROOT = package_folder("carillon").parents[3]
GRAFANA = ROOT / "grafana"
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
ALL = "$__all"


class NoBoardsError(PlainError):
    """The boards come with the sources, and this is not where they are."""


@dataclass(frozen=True, slots=True)
class Expression:
    """One line of a panel, or the condition of an alert, as Prometheus is asked it."""

    board: str
    panel: str
    legend: str
    text: str
    unit: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        """What names it: no two expressions have the same."""
        return self.board, self.panel, self.legend


@dataclass(frozen=True, slots=True)
class EmptyState:
    """An expression that may return nothing, and the reason."""

    board: str
    panel: str
    why: str
    legend: str | None = None

    def covers(self, expression: Expression) -> bool:
        """Whether it speaks of this expression."""
        return (self.board, self.panel) == (expression.board, expression.panel) and (
            self.legend in (None, expression.legend)
        )


def expressions(window: str, folder: Path = GRAFANA) -> list[Expression]:
    """Every expression of every board, with all variables at what they are at first.

    Args:
        window: what `$__rate_interval` stands for.
        folder: where the boards are.

    Raises:
        NoBoardsError: there are none.

    """
    files = sorted((folder / "dashboards").glob("*.json"), key=_first_of_all)
    if not files:
        raise NoBoardsError(
            f"There are no boards in {folder / 'dashboards'}: they come with the sources of "
            "Carillon. Run this from an installation made by `make install`."
        )
    boards = [json.loads(file.read_text("utf-8")) for file in files]
    return [expression for board in boards for expression in _of_board(board, window)]


def empty_states(folder: Path = GRAFANA) -> list[EmptyState]:
    """What may be empty, as `empty_states.toml` says."""
    found = tomllib.loads((folder / "empty_states.toml").read_text("utf-8"))
    return [EmptyState(**entry) for entry in found.get("empty", ())]


def _first_of_all(file: Path) -> tuple[bool, str]:
    """The board that tells whether all is well comes before the others."""
    return file.stem != "platform", file.stem


def _of_board(board: Mapping[str, Any], window: str) -> Iterator[Expression]:
    values = {"__rate_interval": window} | _variables(board["templating"].get("list", ()))
    title = board["title"].removeprefix("Carillon: ")
    for panel in board["panels"]:
        unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "")
        for target in panel.get("targets", ()):
            legend = target.get("legendFormat", "").removeprefix("__auto")
            text = _filled(target["expr"], values)
            yield Expression(title, panel["title"], legend, text, unit)


def _variables(variables: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What each variable stands for before anybody has chosen."""
    return {
        one["name"]: one["allValue"] if one["current"]["value"] == ALL else one["current"]["value"]
        for one in variables
    }


def _filled(text: str, values: Mapping[str, str]) -> str:
    # The longest name first: one may begin with another.
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(f"${name}", values[name])
    return text
