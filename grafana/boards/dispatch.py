"""Do messages go out? Carrier links, their windows and rates, answers, delivery reports."""

from typing import Final

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.names import UP, mean, per_second, quantile, share
from boards.panels import (
    Query,
    Row,
    board,
    choice,
    falling,
    graph,
    none_wanted,
    rising,
    tile,
    wanted,
)

CHOSEN: Final = '{link=~"$link"}'
ANSWERS: Final = f"carillon_link_answers_total{CHOSEN}"
THROTTLED: Final = 'carillon_link_answers_total{link=~"$link", verdict="throttled"}'
ALL_SENT: Final = f"carillon_link_message_seconds_count{CHOSEN}"
SENT_IN_10_S: Final = 'carillon_link_message_seconds_bucket{link=~"$link", le="10.0"}'
PROMISED_S: Final = 10


def dispatch() -> Dashboard:
    """The board of SMS."""
    return board(
        "carillon-dispatch",
        "dispatch",
        description="Do messages go out? Carrier links, windows and rates, answers, reports.",
        variables=[choice("link", "carillon_link_up", "link")],
        rows=[_now(), _sending(), _times(), _after()],
    )


def _now() -> Row:
    return Row(
        "Now",
        [
            tile(
                "Links",
                Query(f"max by (link) (carillon_link_up{CHOSEN})", "{{link}}"),
                unit=units.BoolOnOff,
                description="Whether a dispatcher owns the link and a session of it is bound.",
                runbook="link-down",
                levels=wanted(1),
                words=UP,
                span=6,
            ),
            tile(
                f"Accepted within {PROMISED_S} s",
                Query(share(SENT_IN_10_S, ALL_SENT)),
                unit=units.PercentUnit,
                description="Of the messages that were taken out of a campaign's queue, the share "
                "whose parts the carrier has all accepted within 10 s.",
                runbook="messages-are-late",
                levels=falling(0.95, 0.99),
                nothing="nothing sent",
                span=6,
            ),
            tile(
                "Throttled",
                Query(share(THROTTLED, ANSWERS)),
                unit=units.PercentUnit,
                description="Share of submits that the carrier refused as too fast.",
                runbook="throttling",
                levels=rising(0.01, 0.05),
                nothing="nothing sent",
                span=6,
            ),
            tile(
                "Undecided messages",
                Query(f"sum(carillon_link_undecided_messages{CHOSEN})"),
                unit=units.Short,
                description="Messages that the carrier may have: their submit was not answered.",
                runbook="messages-nobody-can-decide",
                levels=none_wanted(),
                nothing="none",
                span=6,
            ),
        ],
    )


def _sending() -> Row:
    return Row(
        "Sending",
        [
            graph(
                "Segments",
                Query(
                    per_second(f"carillon_link_submitted_segments_total{CHOSEN}", "link"),
                    "{{link}} sent",
                ),
                Query(
                    f"sum by (link) (carillon_link_allowed_segments_per_second{CHOSEN})",
                    "{{link}} allowed",
                ),
                Query(
                    f"sum by (link) (carillon_link_limit_segments_per_second{CHOSEN})",
                    "{{link}} bought",
                ),
                unit="segments/s",
                description="Segments given to the carrier, what throttling allows at the moment, "
                "and what the carrier sold.",
                runbook="throttling",
            ),
            graph(
                "Window",
                Query(
                    f"sum by (link) (carillon_link_window_used_submits{CHOSEN})", "{{link}} used"
                ),
                Query(f"sum by (link) (carillon_link_window_submits{CHOSEN})", "{{link}} window"),
                unit=units.Short,
                description="Submits without an answer, and how many there may be. A full window "
                "and few segments: the carrier answers slowly.",
                runbook="messages-are-late",
            ),
            graph(
                "What the carrier answers",
                Query(per_second(ANSWERS, "link, verdict"), "{{link}} {{verdict}}"),
                unit=units.OpsPerSecond,
                description="Submits by what came of them. `temporary` and `throttled` are tried "
                "again, `permanent` is not, `unknown` had no answer.",
                runbook="messages-are-late",
            ),
        ],
    )


def _times() -> Row:
    submits = f"carillon_link_submit_seconds{CHOSEN}"
    messages = f"carillon_link_message_seconds{CHOSEN}"
    reports = f"carillon_link_report_seconds{CHOSEN}"
    return Row(
        "Times",
        [
            graph(
                "From submit to answer",
                Query(mean(submits, "link"), "{{link}} mean"),
                Query(quantile(0.99, submits, "link"), "{{link}} 99 of 100"),
                unit=units.Seconds,
                description="How fast the carrier answers a submit.",
                runbook="messages-are-late",
            ),
            graph(
                "From queue to acceptance",
                Query(mean(messages, "link"), "{{link}} mean"),
                Query(quantile(0.99, messages, "link"), "{{link}} 99 of 100"),
                unit=units.Seconds,
                description="From taking a message out of its campaign's queue until the carrier "
                "has accepted all its parts.",
                runbook="messages-are-late",
                levels=rising(PROMISED_S / 2, PROMISED_S),
            ),
            graph(
                "From acceptance to report",
                Query(mean(reports, "link"), "{{link}} mean"),
                Query(quantile(0.95, reports, "link"), "{{link}} 95 of 100"),
                unit=units.Seconds,
                description="Until the delivery report of a message's end has come: the carrier, "
                "and phones that are off.",
                runbook="messages-nobody-can-decide",
            ),
        ],
    )


def _after() -> Row:
    return Row(
        "Reports and sessions",
        [
            graph(
                "Delivery reports",
                Query(
                    per_second(f"carillon_link_reports_total{CHOSEN}", "link, state"),
                    "{{link}} {{state}}",
                ),
                unit=units.OpsPerSecond,
                description="Reports stored, by what they tell.",
                runbook="messages-nobody-can-decide",
            ),
            graph(
                "Reports on unknown messages, and messages asked about",
                Query(
                    per_second(f"carillon_link_unmatched_reports_total{CHOSEN}", "link"),
                    "{{link}} unmatched",
                ),
                Query(f"sum by (link) (carillon_link_stray_reports{CHOSEN})", "{{link}} kept"),
                Query(
                    per_second(f"carillon_link_queries_total{CHOSEN}", "link, told"),
                    "{{link}} asked: {{told}}",
                ),
                unit=units.Short,
                description="Reports a second on ids that nobody knew, those of them that are kept "
                "until their message is known, and overdue messages asked about a second.",
                runbook="messages-nobody-can-decide",
            ),
            graph(
                "Sessions",
                Query(f"sum by (link) (carillon_link_bound_sessions{CHOSEN})", "{{link}} bound"),
                Query(f"sum by (link) (carillon_link_sessions{CHOSEN})", "{{link}} wanted"),
                Query(
                    f"sum by (link) (increase(carillon_link_reconnects_total{CHOSEN}[5m]))",
                    "{{link}} bound again, in 5 min",
                ),
                unit=units.Short,
                description="SMPP sessions that are bound, that should be, and that had to be "
                "bound again.",
                runbook="link-down",
            ),
        ],
    )
