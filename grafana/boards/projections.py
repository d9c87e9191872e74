"""Is what people see up to date? Views, reactions, and what they could not digest."""

from typing import Final

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.names import per_second, quantile
from boards.panels import Query, Row, board, choice, graph, none_wanted, rising, tile

CHOSEN: Final = '{job=~"$service", projection=~"$projection"}'
LATE_S: Final = 60
"""How long a view may be behind before somebody should look."""


def projections() -> Dashboard:
    """The board of views and reactions."""
    lag = "carillon_projection_lag_entries"
    return board(
        "carillon-projections",
        "projections",
        description="Is what people see up to date? Views, reactions, parked events.",
        variables=[choice("service", lag, "job"), choice("projection", lag, "projection")],
        rows=[_now(), _views(), _work(), _trouble()],
    )


def _now() -> Row:
    return Row(
        "Now",
        [
            tile(
                "Latest view",
                Query(f"max(carillon_projection_lag_seconds{CHOSEN})"),
                unit=units.Seconds,
                description="For how long the view that is furthest behind has been behind.",
                runbook="a-view-lags",
                levels=rising(5, LATE_S),
                span=6,
            ),
            tile(
                "Events folded",
                Query(f"sum(rate(carillon_projection_events_total{CHOSEN}[$__rate_interval]))"),
                unit=units.EventsPerSecond,
                description="Events that all views together take in.",
                runbook="a-view-lags",
                span=6,
            ),
            tile(
                "Parked events",
                Query('sum(carillon_parked_events{job=~"$service"})'),
                unit=units.Short,
                description="Events that could not be digested, and those that wait behind them.",
                runbook="events-are-parked",
                levels=none_wanted(),
                nothing="none",
                span=6,
            ),
            tile(
                "Events of a newer version",
                Query(f"sum(increase(carillon_unknown_events_total{CHOSEN}[24h]))"),
                unit=units.Short,
                description="Events of the last day that views went without, for the running "
                "version does not know their type.",
                runbook="events-of-a-newer-version",
                levels=none_wanted(),
                nothing="none",
                span=6,
            ),
        ],
    )


def _views() -> Row:
    return Row(
        "Lag",
        [
            graph(
                "Entries behind",
                Query(
                    f"max by (job, projection) (carillon_projection_lag_entries{CHOSEN})",
                    "{{job}}.{{projection}}",
                ),
                unit=units.Short,
                description="Entries of the log that a view has yet to take in.",
                runbook="a-view-lags",
                span=12,
            ),
            graph(
                "Seconds behind",
                Query(
                    f"max by (job, projection) (carillon_projection_lag_seconds{CHOSEN})",
                    "{{job}}.{{projection}}",
                ),
                unit=units.Seconds,
                description="For how long a view has not been at the end of the log.",
                runbook="a-view-lags",
                levels=rising(5, LATE_S),
                span=12,
            ),
        ],
    )


def _work() -> Row:
    return Row(
        "Work",
        [
            graph(
                "Events folded by view",
                Query(
                    per_second(f"carillon_projection_events_total{CHOSEN}", "job, projection"),
                    "{{job}}.{{projection}}",
                ),
                unit=units.EventsPerSecond,
                description="Events that a view takes in. A view that lags and folds nothing "
                "stands still.",
                runbook="a-view-lags",
            ),
            graph(
                "Time of a batch, 99 of 100",
                Query(
                    quantile(0.99, f"carillon_projection_batch_seconds{CHOSEN}", "job, projection"),
                    "{{job}}.{{projection}}",
                ),
                unit=units.Seconds,
                description="Folding and committing one batch: mostly MongoDB.",
                runbook="a-view-lags",
                levels=rising(0.5, 2),
            ),
            graph(
                "Reactions",
                Query(
                    per_second("carillon_reactions_total", "reaction, verdict"),
                    "{{reaction}} {{verdict}}",
                ),
                Query("max by (reaction) (carillon_reaction_lag_entries)", "{{reaction}} behind"),
                unit=units.Short,
                description="Deliveries a second by what came of them, and entries that a reaction "
                "has not acknowledged yet.",
                runbook="events-are-parked",
            ),
        ],
    )


def _trouble() -> Row:
    return Row(
        "Trouble",
        [
            graph(
                "Parked by reader",
                Query(
                    "sum by (job, kind, reader) (carillon_parked_events)",
                    "{{job}} {{kind}} {{reader}}",
                ),
                unit=units.Short,
                description="Whose view or reaction could not digest events, and how many wait.",
                runbook="events-are-parked",
                levels=none_wanted(),
            ),
            graph(
                "Commits that MongoDB did not take",
                Query(
                    per_second(
                        f"carillon_projection_commit_failures_total{CHOSEN}", "job, projection"
                    ),
                    "{{job}}.{{projection}}",
                ),
                unit=units.OpsPerSecond,
                description="They are tried again: MongoDB is away, or overloaded.",
                runbook="mongodb-is-away",
            ),
            graph(
                "Rebuilds, switches, verifications",
                Query(
                    "sum by (projection, kind, outcome) "
                    "(increase(carillon_projection_rebuilds_total[1h]))",
                    "{{projection}} {{kind}} {{outcome}}",
                ),
                unit=units.Short,
                description="Work on generations of views in the last hour.",
                runbook="a-view-is-wrong",
            ),
        ],
    )
