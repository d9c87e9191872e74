"""Given / when / then for deciders: history, a command, and what must follow.

given(decider, CampaignCreated(...)).when(Approve(...)).then(CampaignApproved(...))
given(decider).when(Pause(...)).then_refused("there is no such campaign")
"""

from collections.abc import Sequence
from dataclasses import dataclass

from campaign_events.decider import Decider, Refused
from campaign_events.envelope import Event


@dataclass(frozen=True, slots=True)
class Outcome[E: Event]:
    """What a command led to."""

    events: Sequence[E]
    refusal: Refused | None

    def then(self, *expected: E) -> None:
        """Assert that exactly these events follow; none at all means nothing changes."""
        assert self.refusal is None, f"refused: {self.refusal}"
        assert list(self.events) == list(expected)

    def then_refused(self, *reasons: str, code: str | None = None) -> None:
        """Assert the refusal, its reasons (when given) and its code (when given)."""
        assert self.refusal is not None, f"not refused, but: {list(self.events)}"
        if reasons:
            assert self.refusal.reasons == reasons
        if code is not None:
            assert self.refusal.code == code


@dataclass(frozen=True, slots=True)
class Given[C, E: Event, S]:
    """A decider with a history."""

    decider: Decider[C, E, S]
    history: tuple[E, ...]

    def when(self, command: C) -> Outcome[E]:
        """Give the command to the decider in that state."""
        try:
            events = self.decider.decide(self.decider.fold(self.history), command)
        except Refused as refusal:
            return Outcome((), refusal)
        self.decider.fold(events, self.decider.fold(self.history))
        return Outcome(events, None)


def given[C, E: Event, S](decider: Decider[C, E, S], *history: E) -> Given[C, E, S]:
    """Start a specification from what has happened so far."""
    return Given(decider, history)
