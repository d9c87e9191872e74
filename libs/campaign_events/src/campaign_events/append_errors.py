"""What the log's answers to an append mean, when they are not a place in it.

Codes: nats-server's `errors.json`; the status beside them is as in HTTP.
"""

from collections.abc import Mapping
from typing import Any

WRONG_LAST = 10071
ANOTHER_IN_PROCESS = 10164
"""In a cluster: somebody's message within the same boundary is just being stored."""
WRONG_LAST_SEQUENCE = frozenset((WRONG_LAST, ANOTHER_IN_PROCESS))
DUPLICATE_IN_BATCH = 10201
IN_PROCESS = 10158
"""In a cluster: a message with this id is just being stored."""
NO_LEADER = frozenset((10009, 10041, 10118))
"""Between two leaders of a cluster: not the leader, Raft stands still, the stream is offline."""
BATCH_INCOMPLETE = 10176
STREAM_FULL = 10077
TRY_AGAIN = frozenset((429, 503))

USUAL_PAUSE_S = 0.2
PAUSES_S = {ANOTHER_IN_PROCESS: 0.005, WRONG_LAST: 0.02}


def may_pass(error: Mapping[str, Any]) -> bool:
    """Tell whether another try may end otherwise."""
    code = error.get("err_code", 0)
    if code == STREAM_FULL:
        return False
    passing = code in {BATCH_INCOMPLETE, IN_PROCESS} | NO_LEADER
    return error["code"] in TRY_AGAIN or passing


def pause_s(error: Mapping[str, Any]) -> float:
    """Return how long to wait before it."""
    return PAUSES_S.get(error.get("err_code", 0), USUAL_PAUSE_S)
