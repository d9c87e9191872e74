"""What the end of an unanswered call means: by its SIP status, else by its Q.850 cause.

The SIP status goes first, because a switch folds many of them into one cause: Asterisk makes 21
("call rejected") of 403, where a network forbids the call, and of 603, where a person declines it.
Whether an outcome is tried again is the campaign's choice among `RETRYABLE`; `unallocated` and
`cancelled` never are. Causes and statuses that stand in neither table are `error`.
"""

from collections.abc import Mapping
from typing import Final

from dialler.telephony.telephony import Cause, Outcome

BY_SIP: Final[Mapping[int, tuple[Outcome, str]]] = {
    403: ("error", "the network forbids the call: routing, credit, a caller id not allowed"),
    404: ("unallocated", "there is no such number"),
    408: ("timeout", "nobody out there answered the request in time"),
    410: ("unallocated", "the number is gone"),
    480: ("no_answer", "rings in vain, or the phone is off"),
    484: ("unallocated", "the number is not complete"),
    486: ("busy", "the line is busy"),
    487: ("no_answer", "the ringing was ended from this side"),
    600: ("busy", "busy everywhere"),
    603: ("rejected", "the person declined"),
    604: ("unallocated", "does not exist anywhere"),
    607: ("rejected", "the person does not want such calls"),
    608: ("rejected", "rejected on the person's behalf"),
}
"""What other statuses mean is left to their causes: 5xx come as 34, 38, 41 and the like."""

BY_CAUSE: Final[Mapping[int, tuple[Outcome, str]]] = {
    1: ("unallocated", "unallocated number"),
    2: ("error", "no route to the transit network"),
    3: ("error", "no route to the destination"),
    16: ("no_answer", "cleared normally before anybody answered"),
    17: ("busy", "user busy"),
    18: ("timeout", "no user responding: nothing ever rang"),
    19: ("no_answer", "rang, but nobody answered"),
    20: ("no_answer", "subscriber absent: the phone is off or out of reach"),
    21: ("rejected", "call rejected"),
    22: ("unallocated", "number changed"),
    26: ("error", "cleared, because another line answered"),
    27: ("error", "destination out of order"),
    28: ("unallocated", "invalid number format"),
    29: ("error", "facility rejected"),
    31: ("error", "normal, unspecified"),
    34: ("error", "no circuit available"),
    38: ("error", "network out of order"),
    41: ("error", "temporary failure"),
    42: ("error", "switching equipment congestion"),
    44: ("error", "requested channel not available"),
    47: ("error", "resource unavailable"),
    50: ("error", "facility not subscribed"),
    55: ("error", "incoming calls barred"),
    57: ("error", "bearer capability not authorised"),
    58: ("error", "bearer capability not available now"),
    63: ("error", "service not available"),
    65: ("error", "bearer capability not implemented"),
    79: ("error", "service not implemented"),
    88: ("error", "incompatible destination"),
    102: ("timeout", "recovery on timer expiry"),
    111: ("error", "protocol error"),
    127: ("error", "interworking, unspecified"),
}


def outcome(cause: Cause, *, rang: bool) -> Outcome:
    """How a call ended that nobody answered; one that rang has had no `timeout`."""
    by_sip = None if cause.sip is None else BY_SIP.get(cause.sip)
    found, _ = by_sip or BY_CAUSE.get(cause.q850, ("error", ""))
    return "no_answer" if rang and found == "timeout" else found
