"""What answers and delivery reports mean for the messages of a link. No I/O but one lookup."""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from campaign_events.message import UnmatchedReport
from dispatcher.inflight import InFlight, Message, reference
from dispatcher.links.link import Answer, Part, Report
from dispatcher.outcomes import Outcomes

STRAYS_KEPT = 20_000
TEMPORARY_FIRST_S = 5.0
TEMPORARY_LONGEST_S = 900.0
THROTTLED_S = 1.0


type Stray = tuple[UnmatchedReport, str | None]
"""A report that came too early; under another reading of its id, only for this destination."""


class Settling:
    """Follows every message of a link from its submit to its end.

    `open` are messages taken whose outcome is not durable yet; `undecided` are those that nobody
    can tell about until a report does, or `give_up` comes for them.
    """

    def __init__(self, inflight: InFlight, undecided_wait_s: float) -> None:
        self._inflight = inflight
        self._wait_s = undecided_wait_s
        self._strays: OrderedDict[str, Stray] = OrderedDict()
        self.open: dict[tuple[str, int], Message] = {}
        self.undecided: dict[str, list[Message]] = {}
        self._deadlines: dict[tuple[str, int], float] = {}
        self._held: list[Report] = []
        self._again: list[tuple[float, Part]] = []

    def answered(self, answers: Iterable[Answer], out: Outcomes) -> bool:
        """Settle submits; True when the carrier asked us to slow down."""
        throttled = False
        for answer in answers:
            campaign, number, part = answer.key
            message = self.open.get((campaign, number))
            if message is None:
                continue
            if answer.verdict == "accepted" and answer.message_id:
                self._inflight.know(message, part, answer.message_id)
            else:
                message.errors[part] = (answer.verdict, f"{answer.status:#010x}")
            throttled = throttled or answer.verdict == "throttled"
            if len(message.carrier_ids) + len(message.errors) == message.parts:
                self._settle(message, out)
        return throttled

    def _settle(self, message: Message, out: Outcomes) -> None:
        """All parts are answered: tell what the message has come to."""
        del self.open[message.key]
        verdicts = {verdict for verdict, _ in message.errors.values()}
        error = next((text for _, text in message.errors.values()), "")
        if not verdicts:
            out.submitted(message)
            self._hear_strays(message, out)
        elif "unknown" in verdicts:
            self.wait_for(message)
        elif "permanent" in verdicts:
            out.refused(message, error)
        elif message.carrier_ids:
            self._complete(message)
        elif verdicts <= {"throttled", "unsent"}:
            out.deferred(message, error, THROTTLED_S if "throttled" in verdicts else 0.0)
        else:
            rest = min(TEMPORARY_FIRST_S * 2**message.tries, TEMPORARY_LONGEST_S)
            out.deferred(message, error, rest)

    def _complete(self, message: Message) -> None:
        """Submit the missing parts of a message again: the carrier has the others already."""
        self.open[message.key] = message
        rest = THROTTLED_S
        if any(verdict == "temporary" for verdict, _ in message.errors.values()):
            message.tries += 1
            rest = min(TEMPORARY_FIRST_S * 2**message.tries, TEMPORARY_LONGEST_S)
        due = time.monotonic() + rest
        self._again += [(due, message.submits[part]) for part in message.errors]
        message.errors.clear()

    def due_again(self) -> list[Part]:
        """Take out the parts that may be submitted once more."""
        now = time.monotonic()
        due = [part for moment, part in self._again if moment <= now]
        self._again = [(moment, part) for moment, part in self._again if moment > now]
        return due

    def wait_for(self, message: Message) -> None:
        """Keep a message that may or may not be with the carrier until a report tells."""
        self._inflight_of(message.phone).append(message)
        self._deadlines[message.key] = time.monotonic() + self._wait_s

    def give_up(self, out: Outcomes) -> None:
        """Call those undecided that have waited long enough; a later report still counts."""
        now = time.monotonic()
        over = {key for key, deadline in self._deadlines.items() if deadline <= now}
        if not over:
            return
        for key in over:
            del self._deadlines[key]
        for messages in self.undecided.values():
            for message in messages:
                if message.key in over and message.fate == "submitting":
                    out.undecided(message)

    async def reported(self, reports: Sequence[Report], out: Outcomes) -> list[Report]:
        """Match reports with messages; what matches none is kept until its message is known.

        Returns the reports that may be acknowledged once `out` is stored. One that is early for
        its message, whose other parts are not answered yet, is held back and looked at again.
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
        for report in final:
            error = None if report.state == "delivered" else report.error or report.stat
            known = _believed(report, found) or self._recognised(report)
            if known is None:
                self._keep(report, error, out)
            elif not self._end_part(*known, error, out):
                self._held.append(report)
                continue
            done.append(report)
        return done

    def late(self, answers: Iterable[Answer], out: Outcomes) -> None:
        """Use answers that came after their submit had been given up as unknown."""
        for answer in answers:
            campaign, number, part = answer.key
            message = next(
                (
                    waiting
                    for messages in self.undecided.values()
                    for waiting in messages
                    if waiting.key == (campaign, number)
                ),
                None,
            )
            if message is None or answer.verdict != "accepted" or not answer.message_id:
                continue
            self._inflight.know(message, part, answer.message_id)
            if message.fate == "submitting" and len(message.carrier_ids) == message.parts:
                self._forget(message)
                out.submitted(message)
                self._hear_strays(message, out)

    def _end_part(self, message: Message, part: int, error: str | None, out: Outcomes) -> bool:
        """Note the end of one part; False when it is too early to say what it means."""
        if message.fate in ("delivered", "failed") or part in message.ends:
            return True
        if message.fate == "submitting":
            return self._end_undecided(message, part, error, out)
        message.ends[part] = error
        if error is not None or len(message.ends) == message.parts:
            out.ended(message, error)
        else:
            out.part(message, part, error)
        return True

    def _end_undecided(self, message: Message, part: int, error: str | None, out: Outcomes) -> bool:
        """Decide an undecided message when one part failed or all have been heard of."""
        if message.key in self.open:
            return False
        message.heard[part] = error
        if error is None and len(message.heard) < message.parts:
            return False
        self._forget(message)
        out.submitted(message)
        message.ends |= message.heard
        out.ended(message, error)
        return True

    def _recognised(self, report: Report) -> tuple[Message, int] | None:
        """Find an undecided message by whom it went to and by our own reference."""
        candidates = self.undecided.get(report.destination.lstrip("+"), [])
        matches = [
            (message, part)
            for message in candidates
            for part in range(message.parts)
            if report.reference == reference(message.campaign, message.number, part)
            or (report.reference is None and len(candidates) == 1 and message.parts == 1)
        ]
        if len(matches) != 1:
            return None
        self._inflight.know(*matches[0], report.message_id)
        return matches[0]

    def _keep(self, report: Report, error: str | None, out: Outcomes) -> None:
        if report.message_id in self._strays:
            return
        stray = UnmatchedReport(carrier_id=report.message_id, delivered=error is None, error=error)
        out.unmatched.append(stray)
        self.remember([stray])
        for name in report.other_ids:
            self._strays.setdefault(name, (stray, report.destination))

    def remember(self, strays: Iterable[UnmatchedReport]) -> None:
        """Know reports that came before the answer to their submit."""
        for stray in strays:
            self._strays[stray.carrier_id] = (stray, None)
            while len(self._strays) > STRAYS_KEPT:
                self._strays.popitem(last=False)

    def _hear_strays(self, message: Message, out: Outcomes) -> None:
        if not self._strays:
            return
        for part, carrier_id in message.carrier_ids.items():
            stray, destination = self._strays.get(carrier_id, (None, None))
            if stray is not None and destination in (None, message.phone.lstrip("+")):
                del self._strays[carrier_id]
                error = None if stray.delivered else stray.error or "failed"
                self._end_part(message, part, error, out)

    def _inflight_of(self, phone: str) -> list[Message]:
        return self.undecided.setdefault(phone.lstrip("+"), [])

    def _forget(self, message: Message) -> None:
        self._deadlines.pop(message.key, None)
        waiting = self._inflight_of(message.phone)
        waiting.remove(message)
        if not waiting:
            del self.undecided[message.phone.lstrip("+")]


def _believed(report: Report, found: dict[str, tuple[Message, int]]) -> tuple[Message, int] | None:
    """Return the part that a report is about; other readings of an id need the same phone."""
    exact = found.get(report.message_id)
    if exact is not None:
        return exact
    for name in report.other_ids:
        known = found.get(name)
        if known is not None and known[0].phone.lstrip("+") in ("", report.destination):
            return known
    return None
