"""What answers and delivery reports mean for the messages of a link. No I/O but one lookup."""

import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import Literal

from prometheus_client import Counter

from campaign_events.message import OUTCOME_UNKNOWN, UnmatchedReport
from dispatcher.inflight import InFlight, Message, reference
from dispatcher.links.link import Answer, Part, Report
from dispatcher.outcomes import Outcomes
from dispatcher.strays import Stray, Strays
from dispatcher.undecided import Undecided

TEMPORARY_FIRST_S = 5.0
TEMPORARY_LONGEST_S = 900.0
WITHDRAWN = "withdrawn"
"""The error of a message that was stopped when the carrier had a part of it."""
RETRIED_FOR = timedelta(hours=24)
"""So long the carrier's temporary refusals of one message are not taken for a final one."""
THROTTLED_S = 1.0
HELD_FOR = timedelta(seconds=5)
"""So long a report on one part waits, unacknowledged, for the answers to the others."""

UNMATCHED = Counter(
    "carillon_link_unmatched_reports", "Final reports on ids that nobody knew then", ["link"]
)

type OnUnknown = Literal["fail", "resend"]


class Settling:
    """Follows every message of a link from its submit to its end.

    `open` are messages taken whose outcome is not durable yet; `undecided` are those that nobody
    can tell about until a report does, or `give_up` comes for them.
    """

    def __init__(
        self, inflight: InFlight, undecided_wait_s: float, on_unknown: OnUnknown = "fail"
    ) -> None:
        self._inflight = inflight
        self._on_unknown = on_unknown
        self.open: dict[tuple[str, int], Message] = {}
        self.strays = Strays()
        self.undecided = Undecided(undecided_wait_s)
        self._held: list[Report] = []
        self._again: list[tuple[float, Part]] = []

    def answered(self, answers: Iterable[Answer], out: Outcomes) -> bool:
        """Settle submits; True when the carrier asked us to slow down."""
        self._inflight.let_go()
        throttled = False
        for answer in answers:
            campaign, number, part = answer.key
            message = self.open.get((campaign, number))
            if message is None:
                continue
            if answer.verdict == "accepted":
                self._accept(message, part, answer)
            elif answer.verdict != "unknown" or part not in message.carrier_ids:
                message.errors[part] = (answer.verdict, f"{answer.status:#010x}")
                throttled = throttled or answer.verdict == "throttled"
            if len(message.carrier_ids.keys() | message.errors.keys()) == message.parts:
                self._settle(message, answer, out)
        return throttled

    def _accept(self, message: Message, part: int, answer: Answer) -> None:
        """Note the id that the carrier gave; one that gave none has the part all the same."""
        message.carrier_ids[part] = ""
        if answer.message_id:
            self._inflight.know(message, part, answer.message_id)
        if answer.given_id and answer.given_id != answer.message_id:
            message.given_ids[part] = answer.given_id

    def _settle(self, message: Message, last: Answer, out: Outcomes) -> None:
        """All parts are answered: tell what the message has come to."""
        del self.open[message.key]
        verdicts = {verdict for verdict, _ in message.errors.values()}
        texts = dict(message.errors.values())
        error = texts.get("permanent") or texts.get("withdrawn") or next(iter(texts.values()), "")
        if not verdicts:
            message.submits, message.submitted_at = (), last.at
            out.submitted(message)
            self._hear_strays(message, out)
        elif "unknown" in verdicts:
            self.wait_for(message)
            self._hear_earlier(message, out)
        elif _is_final(verdicts, message, last.at):
            out.refused(message, error)
        elif message.carrier_ids:
            self._complete(message, last.at)
        elif verdicts <= {"throttled", "unsent", "withdrawn"}:
            rest = THROTTLED_S if "throttled" in verdicts else 0.0
            out.deferred(message, error, rest, temporary=False)
        else:
            out.deferred(message, error, _rest_s(message.tries))

    def _complete(self, message: Message, at: datetime) -> None:
        """Submit the missing parts of a message again: the carrier has the others already."""
        self.open[message.key] = message
        rest = THROTTLED_S
        if any(verdict == "temporary" for verdict, _ in message.errors.values()):
            message.tries += 1
            message.since = message.since or at
            rest = _rest_s(message.tries)
        due = time.monotonic() + rest
        self._again += [(due, message.submits[part]) for part in message.errors]
        message.errors.clear()

    def withdrawn(self, part: Part, out: Outcomes) -> None:
        """Settle a part that is not to be written any more.

        If the carrier has another part the message fails, else it goes back to the queue.
        """
        campaign, number, index = part.key
        message = self.open[campaign, number]
        told = Answer(part.key, 0, None, "unsent", datetime.now(UTC))
        message.errors[index] = ("withdrawn", WITHDRAWN)
        if len(message.carrier_ids.keys() | message.errors.keys()) == message.parts:
            self._settle(message, told, out)

    def due_again(self, at_most: int) -> list[Part]:
        """Take out so many of the parts that may be submitted once more by now."""
        now = time.monotonic()
        return self._take_again(lambda moment, _: moment <= now, at_most)

    def again_of(self, wanted: Callable[[Message], bool]) -> list[Part]:
        """Take out the parts of some messages that were to be submitted once more some time."""
        return self._take_again(lambda _, message: wanted(message), len(self._again))

    def _take_again(self, wanted: Callable[[float, Message], bool], at_most: int) -> list[Part]:
        taken: list[Part] = []
        later: list[tuple[float, Part]] = []
        for moment, part in self._again:
            message = self.open.get(part.key[:2])
            if message is None:
                continue
            if len(taken) < at_most and wanted(moment, message):
                taken.append(part)
            else:
                later.append((moment, part))
        self._again = later
        return taken

    def wait_for(self, message: Message) -> None:
        """Keep a message that may or may not be with the carrier until a report tells."""
        self.undecided.add(message)

    def _hear_earlier(self, message: Message, out: Outcomes) -> None:
        """Look again at reports that came before the message was known to be undecided."""
        strays = self.strays.to(message.digits)
        if len(strays) != 1 or len(self.undecided.to(message.digits)) > 1:
            return
        [stray] = strays
        part = _part_of(message, stray.reference, stray.source)
        if part is not None and self.strays.take(stray.report.carrier_id, message.digits):
            self._inflight.know(message, part, stray.report.carrier_id)
            error = None if stray.report.delivered else stray.report.error or "failed"
            self._end_part(message, part, error, out)

    def give_up(self, out: Outcomes) -> None:
        """Decide on those undecided that have waited long enough; a later report still counts.

        On a link that resends they are sent once more, whatever that may cost.
        """
        for message in self.undecided.over():
            if message.fate != "submitting":
                continue
            if self._ends_by_what_was_heard(message, out):
                continue
            if self._on_unknown == "resend" and not _tried_for_long(message, datetime.now(UTC)):
                self.undecided.remove(message)
                self._inflight.forget(message)
                out.deferred(message, OUTCOME_UNKNOWN, _rest_s(message.tries))
            else:
                out.undecided(message)

    async def reported(self, reports: Sequence[Report], out: Outcomes) -> list[Report]:
        """Match reports with messages; what matches none is kept until its message is known.

        Returns the reports that may be acknowledged once `out` is stored. One that is early for
        its message, whose other parts are not answered yet, is held back and looked at again; for a
        moment only, for a carrier may say nothing else until it is acknowledged.
        """
        done = [report for report in reports if report.state == "interim"]
        final = [*self._held, *(report for report in reports if report.state != "interim")]
        self._held = []
        if not final:
            return done
        found = await self._inflight.find(
            [report.message_id for report in final],
            [name for report in final for name in report.other_ids],
        )
        unanswered = _by_digits(self.open.values())
        for report in final:
            error = None if report.state == "delivered" else report.error or report.stat
            known = _believed(report, found)
            if known is None:
                known = self._recognised(report, unanswered.get(report.destination, ()))
            if known is None:
                self._keep(report, error, out)
            elif not self._end_part(*known, error, out):
                is_open = known[0].key in self.open
                if not is_open or datetime.now(UTC) - report.at < HELD_FOR:
                    self._held.append(report)
                    continue
                self._keep(report, error, out)
            done.append(report)
        return done

    def late(self, answers: Iterable[Answer], out: Outcomes) -> None:
        """Use answers that came after their submit had been given up as unknown."""
        for answer in answers:
            campaign, number, part = answer.key
            message = self.undecided.get((campaign, number))
            if message is None or answer.verdict != "accepted" or not answer.message_id:
                continue
            self._accept(message, part, answer)
            if message.fate == "submitting" and len(message.carrier_ids) == message.parts:
                self.undecided.remove(message)
                message.submitted_at = answer.at
                out.submitted(message)
                for heard, error in message.heard.items():
                    self._end_part(message, heard, error, out)
                self._hear_strays(message, out)

    def _end_part(self, message: Message, part: int, error: str | None, out: Outcomes) -> bool:
        """Note the end of one part; False when it is too early to say what it means."""
        if message.fate in ("delivered", "failed") or part in message.ends:
            return True
        if message.fate == "submitting":
            return self._end_undecided(message, part, error, out)
        message.ends[part] = error
        if error is not None or len(message.ends) == message.parts:
            if message.fate == "unknown" and self.undecided.get(message.key) is message:
                self.undecided.remove(message)
            out.ended(message, error)
        else:
            out.part(message, part, error)
        return True

    def _end_undecided(self, message: Message, part: int, error: str | None, out: Outcomes) -> bool:
        """Decide an undecided message when one part failed or all have been heard of."""
        if message.key in self.open:
            return False
        message.heard[part] = error
        return self._ends_by_what_was_heard(message, out)

    def _ends_by_what_was_heard(self, message: Message, out: Outcomes) -> bool:
        error = next((one for one in message.heard.values() if one is not None), None)
        if error is None and len(message.heard) < message.parts:
            return False
        self.undecided.remove(message)
        out.submitted(message)
        message.ends |= message.heard
        out.ended(message, error)
        return True

    def _recognised(
        self, report: Report, unanswered: Sequence[Message] = ()
    ) -> tuple[Message, int] | None:
        """Find a message by whom it went to and by our own reference; `unanswered` went there too.

        Without the reference, it must be the only undecided one with that destination and sender.
        """
        candidates = [*self.undecided.to(report.destination), *unanswered]
        matches = [
            (message, part)
            for message in candidates
            if (part := _part_of(message, report.reference, report.source)) is not None
        ]
        if len(matches) != 1 or (report.reference is None and (unanswered or len(candidates) > 1)):
            return None
        message, part = matches[0]
        message.carrier_ids[part] = ""
        if report.message_id:
            self._inflight.know(message, part, report.message_id)
        return message, part

    def _keep(self, report: Report, error: str | None, out: Outcomes) -> None:
        kept = UnmatchedReport(carrier_id=report.message_id, delivered=error is None, error=error)
        stray = Stray(kept, report.destination, report.source, report.reference, report.other_ids)
        if not report.message_id or self.strays.keep(stray):
            UNMATCHED.labels(out.link).inc()
            out.unmatched.append(kept)

    def _hear_strays(self, message: Message, out: Outcomes) -> None:
        if not len(self.strays):
            return
        for part, carrier_id in message.carrier_ids.items():
            stray = self.strays.take(carrier_id, message.digits) if carrier_id else None
            if stray is not None:
                error = None if stray.delivered else stray.error or "failed"
                self._end_part(message, part, error, out)


def _by_digits(messages: Iterable[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.digits, []).append(message)
    return found


def _part_of(message: Message, named: int | None, source: str) -> int | None:
    """Return which part of a message a reference names; without one, its only part."""
    if named is None:
        return 0 if message.parts == 1 and message.source in ("", source) else None
    for part in range(message.parts):
        if named == reference(message.campaign, message.number, part):
            return part
    return None


def _rest_s(tries: int) -> float:
    """Return how long a message rests after its so-manieth refusal."""
    return min(TEMPORARY_FIRST_S * 2.0 ** min(tries, 10), TEMPORARY_LONGEST_S)


def _is_final(verdicts: AbstractSet[str], message: Message, now: datetime) -> bool:
    temporary = "temporary" in verdicts and _tried_for_long(message, now)
    withdrawn = "withdrawn" in verdicts and bool(message.carrier_ids)
    return "permanent" in verdicts or temporary or withdrawn


def _tried_for_long(message: Message, now: datetime) -> bool:
    if message.ends_at is not None:
        return now >= message.ends_at
    return message.since is not None and now - message.since > RETRIED_FOR


def _believed(report: Report, found: dict[str, tuple[Message, int]]) -> tuple[Message, int] | None:
    """Return the part that a report is about; other readings of an id need the same phone."""
    exact = found.get(report.message_id)
    if exact is not None:
        return exact
    for name in report.other_ids:
        known = found.get(name)
        if known is not None and known[0].digits and known[0].digits == report.destination:
            return known
    return None
