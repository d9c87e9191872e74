"""What the carrier behind an Asterisk saw: every call by its SIP messages, as SIPp wrote them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

INVITED = re.compile(r"INVITE sip:\+?(\d+)@")
REFUSED = re.compile(r"SIP/2\.0 [3-6]\d\d ")


@dataclass(slots=True)
class SipCall:
    """One INVITE and what came of it; without an end nobody told the carrier that it is over."""

    phone: str
    began: float
    ended: float | None = None
    answered: bool = False
    refusal: int | None = None

    def lived_until(self, cuts: Sequence[float]) -> float:
        """When it was over: at its end, or before, with the Asterisk that placed it."""
        died = min((cut for cut in cuts if cut >= self.began), default=float("inf"))
        return min(self.ended if self.ended is not None else float("inf"), died)


@dataclass(slots=True)
class SipLedger:
    """All calls in the order of their beginnings."""

    calls: list[SipCall] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> "SipLedger":
        """Read what has been written so far."""
        if not file.exists():
            return cls()
        lines = file.read_text().splitlines(keepends=True)
        return cls.of(line.rstrip("\n") for line in lines if line.endswith("\n"))

    @classmethod
    def of(cls, lines: Iterable[str]) -> "SipLedger":
        """Follow the messages: date, time, seconds, direction, call, CSeq, first line."""
        calls: dict[str, SipCall] = {}
        for line in lines:
            _, _, seconds, _, name, sequence, said = line.split("\t", 6)
            invited = INVITED.match(said)
            if invited is not None:
                calls.setdefault(name, SipCall(f"+{invited[1]}", float(seconds)))
            elif name in calls:
                _follow(calls[name], sequence, said, float(seconds))
        return cls(list(calls.values()))

    def of_phones(self) -> dict[str, list[SipCall]]:
        """The calls of each phone."""
        found: defaultdict[str, list[SipCall]] = defaultdict(list)
        for call in self.calls:
            found[call.phone].append(call)
        return dict(found)

    def live(self, at: float, cuts: Sequence[float]) -> list[SipCall]:
        """The calls that lived at a time."""
        return [call for call in self.calls if call.began <= at < call.lived_until(cuts)]

    def rung_twice_at_once(self, cuts: Sequence[float]) -> set[str]:
        """The phones that were rung while another call of theirs lived."""
        return {
            phone
            for phone, calls in self.of_phones().items()
            for one, following in pairwise(calls)
            if following.began < one.lived_until(cuts)
        }


def _follow(call: SipCall, sequence: str, said: str, at: float) -> None:
    inviting = sequence.endswith(" INVITE")
    if inviting and said.startswith("SIP/2.0 200"):
        call.answered = True
    elif inviting and REFUSED.match(said):
        call.refusal = call.refusal or int(said.split()[1])
        call.ended = call.ended or at
    elif said.startswith(("BYE ", "CANCEL ")):
        call.ended = call.ended or at
