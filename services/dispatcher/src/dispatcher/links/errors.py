"""What a refused submit means: one line per command status of SMPP 3.4, section 5.1.3.

A refusal is always a sure "no": the carrier does not have the message, so trying again cannot
double it. `docs/carriers.md` shows this table to people; a test keeps the two the same.
"""

from collections.abc import Mapping
from typing import Final, Literal

from dispatcher.links.link import Verdict
from smpp.status import Status

type Treatment = Literal["throttled", "temporary", "permanent"]
"""`throttled` slows the link down and fails nothing; `temporary` is tried again with growing
rests; `permanent` fails the message."""

TREATMENTS: Final[Mapping[Status, tuple[Treatment, str]]] = {
    Status.ESME_RINVMSGLEN: ("permanent", "the text is too long for this carrier"),
    Status.ESME_RINVCMDLEN: ("permanent", "the carrier cannot read the request"),
    Status.ESME_RINVCMDID: ("permanent", "the carrier does not know submit_sm"),
    Status.ESME_RINVBNDSTS: ("temporary", "the carrier lost our bind; it is made again"),
    Status.ESME_RALYBND: ("temporary", "about the bind, not about the message"),
    Status.ESME_RINVPRTFLG: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVREGDLVFLG: ("permanent", "the account may not ask for reports"),
    Status.ESME_RSYSERR: ("temporary", "the carrier has a fault of its own"),
    Status.ESME_RINVSRCADR: ("permanent", "the sender is not allowed on this account"),
    Status.ESME_RINVDSTADR: ("permanent", "there is no such number, or no route to it"),
    Status.ESME_RINVMSGID: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RBINDFAIL: ("temporary", "about the bind, not about the message"),
    Status.ESME_RINVPASWD: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RINVSYSID: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RCANCELFAIL: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RREPLACEFAIL: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RMSGQFUL: ("throttled", "the carrier's queue is full: about us all, not about it"),
    Status.ESME_RINVSERTYP: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVNUMDESTS: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVDLNAME: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVDESTFLAG: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVSUBREP: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVESMCLASS: ("permanent", "the carrier takes no texts of several parts"),
    Status.ESME_RCNTSUBDL: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RSUBMITFAIL: ("permanent", "refused without a reason; often a blocked number"),
    Status.ESME_RINVSRCTON: ("permanent", "the sender's type of number is wrong"),
    Status.ESME_RINVSRCNPI: ("permanent", "the sender's numbering plan is wrong"),
    Status.ESME_RINVDSTTON: ("permanent", "the destination's type of number is wrong"),
    Status.ESME_RINVDSTNPI: ("permanent", "the destination's numbering plan is wrong"),
    Status.ESME_RINVSYSTYP: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RINVREPFLAG: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVNUMMSGS: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RTHROTTLED: ("throttled", "we are too fast: about us, not about the message"),
    Status.ESME_RINVSCHED: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVEXPIRY: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RINVDFTMSGID: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RX_T_APPN: ("temporary", "temporary by its very name"),
    Status.ESME_RX_P_APPN: ("permanent", "permanent by its very name"),
    Status.ESME_RX_R_APPN: ("permanent", "the receiver refuses it"),
    Status.ESME_RQUERYFAIL: ("permanent", "no answer to a submit: nothing would change"),
    Status.ESME_RINVOPTPARSTREAM: ("permanent", "the carrier cannot read optional parameters"),
    Status.ESME_ROPTPARNOTALLWD: ("permanent", "the carrier does not allow optional parameters"),
    Status.ESME_RINVPARLEN: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RMISSINGOPTPARAM: ("permanent", "the carrier wants what Carillon does not send"),
    Status.ESME_RINVOPTPARAMVAL: ("permanent", "a parameter that would be the same next time"),
    Status.ESME_RDELIVERYFAILURE: ("permanent", "the carrier tried at once and failed"),
    Status.ESME_RUNKNOWNERR: ("temporary", "the carrier does not know itself"),
}
"""Every status but ESME_ROK. Statuses beyond it (reserved, and vendors' own 0x400 to 0x4FF) are
permanent unless the link's `errors` say otherwise: an unknown "no" repeated for a day helps nobody,
and a campaign that meets nothing else soon fails where people see it."""

_USUAL: Final[Mapping[int, Treatment]] = {
    status.value: treatment for status, (treatment, _) in TREATMENTS.items()
}


def verdict(status: int, own: Mapping[int, Treatment] | None = None) -> Verdict:
    """What the status of a submit answer means for its message; `own` is the link's word."""
    if not status:
        return "accepted"
    if own and status in own:
        return own[status]
    return _USUAL.get(status, "permanent")
