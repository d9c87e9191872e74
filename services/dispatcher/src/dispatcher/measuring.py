"""How long the carrier takes, measured a turn at a time."""

from collections import Counter as Counts
from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from prometheus_client import Counter

from campaign_events.bulk_histogram import BulkHistogram
from dispatcher.links.link import Answer, Report, Verdict
from dispatcher.outcomes import Outcomes
from dispatcher.settling import UNMATCHED

ANSWERS = Counter("carillon_link_answers", "Submits that ended", ["link", "verdict"])
REPORTS = Counter("carillon_link_reports", "Delivery reports stored", ["link", "state"])
SUBMIT = BulkHistogram(
    "carillon_link_submit_seconds",
    "From writing a submit to its answer",
    "link",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
MESSAGE = BulkHistogram(
    "carillon_link_message_seconds",
    "From taking a message out of its queue to the carrier's acceptance of all its parts",
    "link",
    (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
REPORT = BulkHistogram(
    "carillon_link_report_seconds",
    "From the acceptance of a message to the report of its end",
    "link",
    (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400),
)


def begin(link: str) -> None:
    """Have everything that may go wrong on a link counted from 0."""
    for verdict in get_args(Verdict.__value__):
        ANSWERS.labels(link, verdict)
    UNMATCHED.labels(link)


def measure_answers(link: str, answers: Sequence[Answer]) -> None:
    """Count answers, and how long they took."""
    if answers:
        for verdict, count in Counts(answer.verdict for answer in answers).items():
            ANSWERS.labels(link, verdict).inc(count)
        SUBMIT.fill(link, [answer.took_s for answer in answers if answer.took_s is not None])


def measure_reports(link: str, reports: Sequence[Report]) -> None:
    """Count reports."""
    for state, count in Counts(report.state for report in reports).items():
        REPORTS.labels(link, state).inc(count)


def measure_outcomes(out: Outcomes, now: datetime, monotonic: float) -> None:
    """Measure the messages of which a turn has settled something."""
    accepted = [monotonic - one.taken_at for one in out.about("submitted") if one.taken_at]
    ended = [
        max((now - one.submitted_at).total_seconds(), 0.0)
        for one in out.about("delivered", "failed")
        if one.submitted_at is not None
    ]
    if accepted:
        MESSAGE.fill(out.link, accepted)
    if ended:
        REPORT.fill(out.link, ended)
