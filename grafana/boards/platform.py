"""Is everything well? Services, requests, the log, processes."""

from typing import Final

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from boards.names import SERVICES, UP, per_second, quantile, share
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

CHOSEN: Final = 'job=~"$service"'
REQUESTS: Final = f"carillon_http_request_seconds{{{CHOSEN}}}"
COUNTED: Final = f"carillon_http_request_seconds_count{{{CHOSEN}}}"
FAILED: Final = f'carillon_http_request_seconds_count{{{CHOSEN}, status="5xx"}}'
MEGABYTE: Final = 1_000_000
DAY_S: Final = 86_400


def platform() -> Dashboard:
    """The board to look at first."""
    return board(
        "carillon-platform",
        "platform",
        description="Is everything well? Services, requests, the log, processes.",
        variables=[choice("service", f'up{{job=~"{SERVICES}"}}', "job")],
        rows=[_now(), _requests(), _log(), _processes()],
    )


def _now() -> Row:
    return Row(
        "Now",
        [
            tile(
                "Services that answer",
                Query(f'count(count by (job) (up{{job=~"{SERVICES}"}} == 1))'),
                unit=units.Short,
                description="Of the five services, those of which Prometheus reaches a process.",
                runbook="service-down",
                levels=wanted(5),
                nothing="none",
                span=3,
            ),
            tile(
                "Core",
                Query("max by (core) (carillon_core_up)", "{{core}}"),
                unit=units.BoolOnOff,
                description="Whether the dispatcher (sms) and the dialler (voice) answer: while "
                "one does not, no campaign of its kind can be started.",
                runbook="core-down",
                levels=wanted(1),
                words=UP,
                span=3,
            ),
            tile(
                "Requests that failed",
                Query(share(FAILED, COUNTED)),
                unit=units.PercentUnit,
                description="Share of requests that were answered with 5xx.",
                runbook="errors-and-slow-answers",
                levels=rising(0.001, 0.01),
                nothing="no requests",
                span=3,
            ),
            tile(
                "Fullest stream",
                Query("max(carillon_stream_bytes / (carillon_stream_limit_bytes > 0))"),
                unit=units.PercentUnit,
                description="Size of a stream ÷ the size at which it takes nothing more.",
                runbook="stream-nearly-full",
                levels=rising(0.6, 0.8),
                span=3,
            ),
            tile(
                "Parked events",
                Query("sum(carillon_parked_events)"),
                unit=units.Short,
                description="Events that a view or a reaction could not digest, and those of the "
                "same campaigns that wait behind them.",
                runbook="events-are-parked",
                levels=none_wanted(),
                nothing="none",
                span=3,
            ),
            tile(
                "Audit records that wait",
                Query("sum(carillon_audit_fallback_bytes)"),
                unit=units.BytesSI,
                description="Bytes of audit records on disk that MongoDB has not taken yet.",
                runbook="audit-records-wait",
                levels=rising(1, 50 * MEGABYTE),
                span=3,
            ),
            tile(
                "Latest view",
                Query("max(carillon_projection_lag_seconds)"),
                unit=units.Seconds,
                description="For how long the view that is furthest behind has been behind.",
                runbook="a-view-lags",
                levels=rising(5, 60),
                span=3,
            ),
            tile(
                "Next certificate to end",
                Query("min(carillon_certificate_expiry_timestamp_seconds) - time()"),
                unit=units.Seconds,
                description="Time until the first of the TLS certificates that services were told "
                "of ends.",
                runbook="certificate-expires",
                levels=falling(7 * DAY_S, 14 * DAY_S),
                nothing="no TLS",
                span=3,
            ),
        ],
    )


def _requests() -> Row:
    return Row(
        "Requests",
        [
            graph(
                "Requests",
                Query(per_second(COUNTED, "job"), "{{job}}"),
                unit=units.RequestsPerSecond,
                description="Answered requests by service; probes are left out.",
                runbook="errors-and-slow-answers",
            ),
            graph(
                "Time to the answer, 99 of 100",
                Query(quantile(0.99, REQUESTS, "job"), "{{job}}"),
                unit=units.Seconds,
                description="99 of 100 requests were answered faster: from the request's arrival "
                "to the first byte of its answer.",
                runbook="errors-and-slow-answers",
                levels=rising(1, 5),
            ),
            graph(
                "Refused and failed",
                Query(
                    per_second(
                        f'carillon_http_request_seconds_count{{{CHOSEN}, status=~"4xx|5xx"}}',
                        "job, status",
                    ),
                    "{{job}} {{status}}",
                ),
                unit=units.RequestsPerSecond,
                description="Requests that were refused (4xx) and that failed (5xx).",
                runbook="errors-and-slow-answers",
            ),
        ],
    )


def _log() -> Row:
    return Row(
        "Commands and the log",
        [
            graph(
                "Commands by outcome",
                Query(per_second("carillon_commands_total", "outcome"), "{{outcome}}"),
                Query(per_second("carillon_campaign_failures_total", "job"), "{{job}} passed over"),
                unit=units.OpsPerSecond,
                description="What people and reactions wished for, and what came of it. `nothing`: "
                "it was so already; `conflict`: others were faster again and again. Passed over: "
                "a campaign whose own data cannot be worked on.",
                runbook="a-campaign-is-passed-over",
            ),
            graph(
                "Time to append, 99 of 100",
                Query(quantile(0.99, "carillon_log_append_seconds", "kind"), "{{kind}}"),
                unit=units.Seconds,
                description="From sending an append to its fsynced acknowledgement, by kind of "
                "event: mostly the disk of the log.",
                runbook="the-log-takes-nothing",
                levels=rising(0.1, 1),
            ),
            graph(
                "Conflicts and appends given up",
                Query(per_second("carillon_log_conflicts_total", "kind"), "{{kind}} conflict"),
                Query(
                    per_second("carillon_log_append_failures_total", "kind, reason"),
                    "{{kind}} {{reason}}",
                ),
                unit=units.OpsPerSecond,
                description="A conflict is decided again at once, a few are well. An append that "
                "was given up is a log that is away, full or forbidden.",
                runbook="the-log-takes-nothing",
            ),
        ],
    )


def _processes() -> Row:
    return Row(
        "Processes",
        [
            graph(
                "Memory",
                Query(f"sum by (job) (process_resident_memory_bytes{{{CHOSEN}}})", "{{job}}"),
                unit=units.BytesIEC,
                description="Memory in use by service. It does not grow with the audience.",
                runbook="service-restarts",
            ),
            graph(
                "Processors, and late timers",
                Query(
                    per_second(f"process_cpu_seconds_total{{{CHOSEN}}}", "job"),
                    "{{job}} processors",
                ),
                Query(f"max by (job) (carillon_loop_lag_seconds{{{CHOSEN}}})", "{{job}} late by s"),
                unit=units.Short,
                description="Processors in use by service (1 is the most that one process can "
                "use), and by how many seconds its timers come late.",
                runbook="errors-and-slow-answers",
            ),
            graph(
                "New starts and lost connections",
                Query(
                    f"sum by (job) (changes(process_start_time_seconds{{{CHOSEN}}}[5m]))",
                    "{{job}} starts",
                ),
                Query(
                    f"sum by (job) (increase(carillon_nats_disconnects_total{{{CHOSEN}}}[5m]))",
                    "{{job}} lost NATS",
                ),
                unit=units.Short,
                description="In the last five minutes: how often a process of a service began "
                "anew, and how often it lost its connection to NATS.",
                runbook="service-restarts",
            ),
        ],
    )
