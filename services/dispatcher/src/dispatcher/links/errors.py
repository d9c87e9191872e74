"""What a refused submit means: the one table.

- accepted: ESME_ROK. Wait for the report.
- throttled: ESME_RTHROTTLED, ESME_RMSGQFUL. The link slows down and submits again; fails nothing.
- temporary: ESME_RSYSERR, ESME_RX_T_APPN, ESME_RUNKNOWNERR, ESME_RINVBNDSTS, ESME_RALYBND,
  ESME_RBINDFAIL. Tried again with back-off.
- permanent: every other, vendors' own (0x400 to 0x4FF) among them. The message has failed.

A refusal is always a sure "no": the carrier does not have the message, so trying again cannot
double it. Statuses that nobody documented are permanent, because an unknown "no" repeated for a
day helps nobody; the carrier's number is kept as the message's error.
"""

from typing import Final

from dispatcher.links.link import Verdict
from smpp.status import Status

THROTTLED: Final = frozenset({Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL})
"""Too fast, or a full queue: about us, not about the message."""

TEMPORARY: Final = frozenset(
    {
        Status.ESME_RSYSERR,  # the carrier has a fault of its own
        Status.ESME_RX_T_APPN,  # "temporary" by its very name
        Status.ESME_RUNKNOWNERR,  # it does not know itself
        Status.ESME_RINVBNDSTS,  # it lost our bind; the session will be made again
        Status.ESME_RALYBND,
        Status.ESME_RBINDFAIL,
    }
)

_VERDICTS: Final[dict[int, Verdict]] = {
    Status.ESME_ROK.value: "accepted",
    **dict.fromkeys((int(status) for status in THROTTLED), "throttled"),
    **dict.fromkeys((int(status) for status in TEMPORARY), "temporary"),
}


def verdict(status: int) -> Verdict:
    """What the status of a submit answer means for its message."""
    return _VERDICTS.get(status, "permanent")
