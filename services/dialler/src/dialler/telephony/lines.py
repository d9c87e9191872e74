"""What the dialler knows of one call on an Asterisk, and how it reads a channel of its lists."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Final, Literal

from dialler.telephony import causes
from dialler.telephony.ari import Json
from dialler.telephony.telephony import (
    NORMAL_CLEARING,
    Callback,
    CallId,
    Cause,
    Ended,
    LiveState,
    Verdict,
)

DESTINATION: Final = "CARILLON_DESTINATION"
AMD_MS: Final = "CARILLON_AMD_MS"
"""Channel variables that we set."""
DISPOSITION: Final = "CARILLON_DISPOSITION"
CALLBACK_AT: Final = "CARILLON_CALLBACK_AT"
CALLBACK_REASON: Final = "CARILLON_CALLBACK_REASON"
WRAP_S: Final = "CARILLON_WRAP_S"
"""Channel variables with which a destination tells what came of a conversation; the time is RFC
3339. Nothing but `callback_requested` as disposition asks for a callback."""

VERDICTS: Final[dict[str, Verdict]] = {"HUMAN": "human", "MACHINE": "machine"}
"""What AMDSTATUS says; NOTSURE and all else is unknown."""
GIVING_UP_S: Final = 0.1
"""How much earlier than we think Asterisk may give up."""
_RINGING: Final = ("Ring", "Ringing")
_LEG: Final = "agent-"

type Wish = Literal["attach", "hang_up"]


@dataclass(slots=True, eq=False)
class Line:
    """One call; `destination` is None as long as only Asterisk knows it.

    `placing` while the request to place it is on its way, `missing` when the last list of channels
    did not have it, `leg` when a channel to its destination was asked for, `bridged` when the two
    hear each other. Asterisk gives up ringing at `gives_up_at`, by the loop's time.
    """

    call_id: CallId
    destination: str | None = None
    state: LiveState = "dialling"
    wish: Wish | None = None
    placing: bool = False
    missing: bool = False
    leg: bool = False
    bridged: bool = False
    cancelled: bool = False
    rang: bool = False
    verdict: Verdict | None = None
    gives_up_at: float = inf
    told: dict[str, str] = field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether somebody or something has taken the call."""
        return self.state not in ("dialling", "ringing")

    def over(self, at: datetime, cause: Cause, *, up: bool, now: float) -> Ended:
        """The end that Asterisk tells; its own giving up is "no answer" to it, whatever rang."""
        if self.answered or up:
            # Somebody who just hangs up gives no cause.
            told = cause if cause.q850 else Cause(NORMAL_CLEARING, cause.sip)
            return self._conversed(at, told)
        if self.cancelled:
            return Ended(self.call_id, at, "cancelled", cause)
        outcome = causes.outcome(cause, rang=self.rang)
        if outcome == "no_answer" and not self.rang and now >= self.gives_up_at - GIVING_UP_S:
            outcome = "timeout"
        return Ended(self.call_id, at, outcome, cause)

    def lost(self) -> Ended:
        """The end of a call that is not there any more."""
        if self.answered:
            return self._conversed(datetime.now(UTC), None)
        return Ended(self.call_id, datetime.now(UTC), "cancelled" if self.cancelled else "unknown")

    def _conversed(self, at: datetime, cause: Cause | None) -> Ended:
        """The end of an answered call, with what its destination told."""
        disposition = self.told.get(DISPOSITION)
        callback = None
        if disposition == "callback_requested":
            preferred = _time(self.told.get(CALLBACK_AT, ""))
            callback = Callback(preferred, self.told.get(CALLBACK_REASON) or None)
        wrap_s = _seconds(self.told.get(WRAP_S, ""))
        return Ended(self.call_id, at, "answered", cause, disposition or None, callback, wrap_s)


def leg_of(call_id: CallId) -> str:
    """The channel that connects a call to its destination."""
    return f"{_LEG}{call_id}"


def call_of(channel_id: str) -> CallId:
    """The call that a channel, its own or the one to its destination, belongs to."""
    return channel_id.removeprefix(_LEG)


def is_leg(channel_id: str) -> bool:
    """Whether a channel leads to a destination."""
    return channel_id.startswith(_LEG)


def state_of(channel: Json, channels: dict[str, Json], amd_context: str) -> LiveState:
    """Where a call is, by the list of all channels."""
    if channel["state"] != "Up":
        return "ringing" if channel["state"] in _RINGING else "dialling"
    plan = channel["dialplan"]
    if plan["app_name"] != "Stasis":
        return "screening" if plan["context"] == amd_context else "attached"
    leg = channels.get(leg_of(channel["id"]))
    return "attached" if leg is not None and leg["state"] == "Up" else "answered"


def arguments_of(channel: Json) -> list[str]:
    """What a channel that waits in our application came with; nothing if it does not."""
    plan = channel["dialplan"]
    if channel["state"] != "Up" or plan["app_name"] != "Stasis":
        return []
    return str(plan["app_data"]).split(",")[1:]


def adopted(channel: Json, channels: dict[str, Json], amd_context: str) -> Line:
    """A call of an earlier process, as it was before the last thing that one may not have told."""
    state = state_of(channel, channels, amd_context)
    if state == "answered":
        state = "ringing" if arguments_of(channel)[:1] == ["call"] else "screening"
    line = Line(channel["id"], state=state, rang=state != "dialling")
    line.leg = leg_of(line.call_id) in channels
    line.bridged = line.leg and state == "attached"
    return line


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _seconds(text: str) -> float:
    try:
        return max(0.0, min(3600.0, float(text)))
    except ValueError:
        return 0.0
