"""What the dialler's answers look like, for `/openapi.json`."""

from datetime import datetime

from campaign_events.answers import Answer
from campaign_events.call import AmdVerdict, AttemptKind, CallState, Outcome


class WishedCallback(Answer):
    """When somebody wants to be called again, and what they said."""

    due_at: datetime
    reason: str | None


class Call(Answer):
    """One contact of a run; `phone` is masked for viewers, and null when its person was erased."""

    id: str
    phone: str | None
    variables: dict[str, str]
    status: CallState
    attempts: int
    outcome: Outcome | None
    disposition: str | None
    next_attempt_at: datetime | None
    callback: WishedCallback | None


class Attempt(Answer):
    """One attempt to reach a contact."""

    sequence: int
    kind: AttemptKind
    caller_id: str
    started_at: datetime
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome | None
    amd: AmdVerdict | None
    disposition: str | None
    hangup_cause: str | None
