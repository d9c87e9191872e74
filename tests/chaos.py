"""What tests of dying have in common: a carrier that errs, and chance that can be repeated."""

import os
import random

CARRIER = """
[answers]
latency_ms = 20
jitter_ms = 10
refused = { ESME_RINVDSTADR = 0.005, ESME_RSYSERR = 0.003 }
[receipts]
min_s = 0.02
mean_s = 0.3
max_s = 5
early = 0.005
duplicate = 0.01
retry_after_s = 3
window = 500
[[receipts.states]]
stat = "UNDELIV"
error = "001"
share = 0.015
[[receipts.states]]
stat = "EXPIRED"
error = "027"
share = 0.005
"""


def seed() -> int:
    """What `CARILLON_CHAOS_SEED` says, or any number."""
    given = os.environ.get("CARILLON_CHAOS_SEED")
    return int(given) if given else random.SystemRandom().randrange(10**6)
