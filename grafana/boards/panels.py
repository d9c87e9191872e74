"""The words of which boards are made: queries, tiles, graphs, rows, variables, a board."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from boards.runbook import UID as RUNBOOK_UID
from boards.runbook import section

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
EVERYTHING: Final = ".*"
WIDTH: Final = 24
TILE_HEIGHT: Final = 4
GRAPH_HEIGHT: Final = 8
RUNBOOK_URL: Final = f"/d/{RUNBOOK_UID}?viewPanel="

type Panel = stat.Panel | timeseries.Panel
type Levels = Sequence[tuple[float | None, Literal["green", "yellow", "red"]]]

FINE: Final[Levels] = ((None, "green"),)


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and how its lines are named."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels beside each other below a heading."""

    title: str
    panels: Sequence[Panel]


def rising(warn: float, bad: float) -> Levels:
    """The more the worse: yellow from one level, red from another."""
    return (None, "green"), (warn, "yellow"), (bad, "red")


def falling(bad: float, fine: float) -> Levels:
    """The less the worse: red below one level, green from another."""
    return (None, "red"), (bad, "yellow"), (fine, "green")


def none_wanted(bad: float = 1) -> Levels:
    """Red as soon as there is one."""
    return (None, "green"), (bad, "red")


def wanted(least: float) -> Levels:
    """Red below what there should be."""
    return (None, "red"), (least, "green")


def tile(  # noqa: PLR0913 - all that a tile says
    title: str,
    query: Query,
    *,
    unit: str,
    description: str,
    runbook: str,
    levels: Levels = FINE,
    words: Mapping[float, str] | None = None,
    nothing: str = "no data",
    span: int = 4,
) -> stat.Panel:
    """One number per line, coloured by its levels; `words` replace single values."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .no_value(nothing)
        .span(span)
        .height(TILE_HEIGHT)
        .links([_to_runbook(runbook)])
        .thresholds(_thresholds(levels))
        .color_scheme(builders.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.AREA)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .with_target(_target("A", query))
    )
    if words is not None:
        told = {f"{value:g}": ValueMappingResult(text=text) for value, text in words.items()}
        panel = panel.mappings([ValueMap(options=told)])
    return panel


def graph(  # noqa: PLR0913 - all that a graph says
    title: str,
    *queries: Query,
    unit: str,
    description: str,
    runbook: str,
    levels: Levels = FINE,
    least: float | None = 0,
    most: float | None = None,
    span: int = 8,
    dashed: str | None = None,
) -> timeseries.Panel:
    """Lines over time; levels above the first are drawn, and the line `dashed` is a limit."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .span(span)
        .height(GRAPH_HEIGHT)
        .links([_to_runbook(runbook)])
        .thresholds(_thresholds(levels))
        .line_width(1)
        .fill_opacity(8)
        .show_points(common.VisibilityMode.NEVER)
        .tooltip(
            common_builders.VizTooltipOptions()
            .mode(common.TooltipDisplayMode.MULTI)
            .sort(common.SortOrder.DESCENDING)
        )
        .legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    for place, query in enumerate(queries):
        panel = panel.with_target(_target(chr(ord("A") + place), query))
    if len(levels) > 1:
        style = common_builders.GraphThresholdsStyleConfig().mode(
            common.GraphTresholdsStyleMode.DASHED
        )
        panel = panel.thresholds_style(style)
    if least is not None:
        panel = panel.min(least)
    if most is not None:
        panel = panel.max(most)
    return panel if dashed is None else panel.override_by_name(dashed, _AS_LIMIT)


def board(
    uid: str,
    title: str,
    *,
    description: str,
    variables: Sequence[builders.QueryVariable] = (),
    rows: Sequence[Row],
) -> Dashboard:
    """A board of rows; panels are numbered as they stand."""
    made = (
        builders.Dashboard(f"Carillon: {title}")
        .uid(uid)
        .description(description)
        .tags(["carillon"])
        .time("now-1h", "now")
        .refresh("10s")
        .timezone("browser")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(_other_boards())
        .with_variable(_sources())
    )
    for variable in variables:
        made = made.with_variable(variable)
    number = 0
    for row in rows:
        number += 1
        made = made.with_row(builders.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            made = made.with_panel(panel.id(number))
    return made.build()


def choice(name: str, metric: str, label: str) -> builders.QueryVariable:
    """A choice among the values of a label; all of them at first."""
    return (
        builders.QueryVariable(name)
        .label(name)
        .description(f"Only these; all of them where nothing is chosen ({label}).")
        .datasource(SOURCE)
        .query(f"label_values({metric}, {label})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(EVERYTHING)
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def _sources() -> builders.DatasourceVariable:
    return (
        builders.DatasourceVariable("datasource")
        .label("data source")
        .type("prometheus")
        .hide(VariableHide.DONT_HIDE)
        .current(VariableOption(selected=True, text="Prometheus", value="prometheus"))
    )


def _other_boards() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Boards")
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["carillon"])
        .as_dropdown(True)
        .include_vars(False)
        .keep_time(True)
    )


def _to_runbook(anchor: str) -> builders.DashboardLink:
    """A link that works inside Grafana, named by the place in the repository."""
    return (
        builders.DashboardLink(f"docs/runbook.md#{anchor}")
        .type(DashboardLinkType.LINK)
        .url(f"{RUNBOOK_URL}{section(anchor).number}")
        .target_blank(True)
    )


def _target(name: str, query: Query) -> prometheus.Dataquery:
    return (
        prometheus.Dataquery()
        .ref_id(name)
        .datasource(SOURCE)
        .expr(query.expression)
        .legend_format(query.legend or "__auto")
        .range()
    )


def _thresholds(levels: Levels) -> builders.ThresholdsConfig:
    steps = [Threshold(value=value, color=colour) for value, colour in levels]
    return builders.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


_AS_LIMIT: Final = [
    DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]}),
    DynamicConfigValue(id_val="custom.fillOpacity", value=0),
    DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": "red"}),
]
