"""Do calls go out, and is nobody left without a seat? Dials, seats, abandoned calls."""

from typing import Final

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.names import UP, mean, per_second, quantile
from boards.panels import Query, Row, board, choice, graph, rising, tile, wanted

NEAR: Final = 0.99
"""Pacing spends the limit on purpose; this near to it, its guard has taken over."""


def dialling() -> Dashboard:
    """The board of voice."""
    return board(
        "carillon-dialling",
        "dialling",
        description="Do calls go out, and is nobody left without a seat?",
        variables=[choice("telephony", "carillon_telephony_up", "telephony")],
        rows=[_now(), _calls(), _pacing()],
    )


def _now() -> Row:
    return Row(
        "Now",
        [
            tile(
                "Telephony",
                Query(
                    'max by (telephony) (carillon_telephony_up{telephony=~"$telephony"})',
                    "{{telephony}}",
                ),
                unit=units.BoolOnOff,
                description="Whether calls can be placed.",
                runbook="telephony-down",
                levels=wanted(1),
                words=UP,
                span=6,
            ),
            tile(
                "Seats in use",
                Query("sum(carillon_used_seats) / (sum(carillon_seats) > 0)"),
                unit=units.PercentUnit,
                description="Seats in conversation or wrapping up ÷ seats of running campaigns.",
                runbook="seats-stay-empty",
                nothing="no seats",
                span=6,
            ),
            tile(
                "Limit on abandoned calls, used",
                Query("max(carillon_abandoned_limit_used_ratio)"),
                unit=units.PercentUnit,
                description="Abandoned ÷ answered by a person, as a share of the limit, of the "
                "campaign that is nearest to its own. Above 100 % the limit is broken.",
                runbook="abandoned-calls",
                levels=rising(NEAR, 1.0000001),
                span=6,
            ),
            tile(
                "Ringing",
                Query("sum(carillon_ringing_calls)"),
                unit=units.Short,
                description="Calls that nobody has answered yet.",
                runbook="seats-stay-empty",
                span=6,
            ),
        ],
    )


def _calls() -> Row:
    return Row(
        "Calls",
        [
            graph(
                "Dials",
                Query(per_second("carillon_dials_total", "kind"), "{{kind}}"),
                unit="dials/s",
                description="Calls placed: first ones, retries, and those that were asked for.",
                runbook="seats-stay-empty",
            ),
            graph(
                "Seats",
                Query("sum(carillon_used_seats)", "used"),
                Query("sum(carillon_seats)", "seats"),
                Query("sum(carillon_ringing_calls)", "ringing"),
                unit=units.Short,
                description="Conversations there are and may be at once, and calls that ring for "
                "seats which are about to be free.",
                runbook="seats-stay-empty",
            ),
            graph(
                "How attempts end",
                Query(per_second("carillon_attempts_total", "outcome"), "{{outcome}}"),
                unit="attempts/s",
                description="Attempts that came to their end, by their outcome. Many `error`: the "
                "telephony refuses calls.",
                runbook="telephony-down",
            ),
        ],
    )


def _pacing() -> Row:
    return Row(
        "Pacing and ownership",
        [
            graph(
                "Abandoned calls",
                Query("max(carillon_abandoned_ratio)", "abandoned"),
                Query("max(carillon_abandoned_limit_ratio)", "limit"),
                unit=units.PercentUnit,
                description="Abandoned ÷ answered by a person, of the campaign that is nearest to "
                "its limit, and that limit.",
                runbook="abandoned-calls",
                dashed="limit",
            ),
            graph(
                "Time of a turn",
                Query(mean("carillon_dialling_turn_seconds", "job"), "mean"),
                Query(quantile(0.99, "carillon_dialling_turn_seconds", "job"), "99 of 100"),
                unit=units.Seconds,
                description="How long one turn of dialling one campaign takes; there is one a "
                "second at least.",
                runbook="seats-stay-empty",
                levels=rising(0.5, 1),
            ),
            graph(
                "Campaigns owned and let go",
                Query("sum by (instance) (carillon_owned_campaigns)", "{{instance}} owns"),
                Query(
                    "sum by (instance) (increase(carillon_let_go_campaigns_total[5m]))",
                    "{{instance}} let go, in 5 min",
                ),
                Query(
                    "sum by (job, kind) (increase(carillon_lease_losses_total[5m]))",
                    "{{job}} lost {{kind}}, in 5 min",
                ),
                unit=units.Short,
                description="Voice campaigns by the process that owns them, those that it had to "
                "let go of, and lost leases of links, calls and views.",
                runbook="lost-leases",
            ),
        ],
    )
