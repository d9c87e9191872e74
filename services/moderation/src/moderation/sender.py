"""A sender and its revisions, decided: each wording needs a moderator's yes. No I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, assert_never

from campaign_events.decider import Decider, Refused
from campaign_events.envelope import Actor, Event
from campaign_events.sender import (
    Revision,
    RevisionApproved,
    RevisionRejected,
    RevisionSubmitted,
    SenderArchived,
    SenderCreated,
    SenderEvent,
)

type RevisionStatus = Literal["pending_approval", "approved", "rejected"]
type SenderStatus = Literal["pending_approval", "approved", "rejected", "archived"]


@dataclass(frozen=True, slots=True)
class Wording:
    """What a revision says, before it has a number."""

    saddr: str
    ston: int
    snpi: int
    dton: int = 1
    dnpi: int = 1
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """Make a sender and submit its first revision."""

    name: str
    wording: Wording
    by: Actor


@dataclass(frozen=True, slots=True)
class Revise:
    """Submit another revision."""

    wording: Wording
    by: Actor


@dataclass(frozen=True, slots=True)
class Approve:
    """Make a revision the current one."""

    number: int
    by: Actor
    note: str | None = None
    self_approval: bool = False
    """Whether the workspace lets people approve what they created themselves."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse a revision, and say why."""

    number: int
    by: Actor
    note: str


@dataclass(frozen=True, slots=True)
class Archive:
    """Let the sender be used no more."""

    by: Actor


type SenderCommand = Create | Revise | Approve | Reject | Archive


@dataclass(frozen=True, slots=True)
class Submitted:
    """A revision, where it stands, and who wished it."""

    revision: Revision
    by: Actor
    status: RevisionStatus = "pending_approval"
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """All that there is to know about a sender. `current` is the revision in use."""

    name: str
    revisions: Mapping[int, Submitted] = field(default_factory=dict)
    current: int | None = None
    archived: bool = False

    @property
    def status(self) -> SenderStatus:
        """Where the sender as a whole stands."""
        if self.archived:
            return "archived"
        if self.current is not None:
            return "approved"
        waiting = any(
            submitted.status == "pending_approval" for submitted in self.revisions.values()
        )
        return "pending_approval" if waiting else "rejected"

    @property
    def unusable(self) -> str | None:
        """Why nothing may be sent under this name, None when it may."""
        if self.archived:
            return "the sender is archived"
        if self.current is None:
            return "the sender has no approved revision"
        return None


type State = Sender | None


def decide(state: State, command: SenderCommand) -> Sequence[Event]:
    """Return what follows from the command.

    Raises:
        Refused: `not_found`, `illegal_transition` or `refused`.

    """
    if isinstance(command, Create):
        return _create(state, command)
    if state is None:
        raise Refused("there is no such sender", code="not_found")
    if isinstance(command, Archive):
        return [] if state.archived else [SenderArchived(by=command.by)]
    if state.archived:
        raise Refused("the sender is archived", code="illegal_transition")
    match command:
        case Revise():
            return [_submit(len(state.revisions) + 1, command.wording, command.by)]
        case Approve():
            return _approve(state, command)
        case Reject():
            _must_wait(state, command.number)
            return [RevisionRejected(number=command.number, by=command.by, note=command.note)]
        case _:
            assert_never(command)


def evolve(state: State, event: Event) -> State:  # noqa: PLR0911 - one return per kind of fact
    """Return the state after an event; facts about anything else change nothing."""
    if isinstance(event, SenderCreated):
        return Sender(event.name)
    if state is None:
        return None
    match event:
        case RevisionSubmitted(revision=revision, by=by):
            return _with(state, revision.number, Submitted(revision, by))
        case RevisionApproved(number=number, note=note):
            decided = replace(state.revisions[number], status="approved", note=note)
            return replace(_with(state, number, decided), current=number)
        case RevisionRejected(number=number, note=note):
            decided = replace(state.revisions[number], status="rejected", note=note)
            return _with(state, number, decided)
        case SenderArchived():
            return replace(state, archived=True)
        case _:
            return state


def _create(state: State, command: Create) -> Sequence[SenderEvent]:
    if state is not None:
        raise Refused("there is a sender with this id already", code="conflict")
    return [
        SenderCreated(name=command.name, by=command.by),
        _submit(1, command.wording, command.by),
    ]


def _submit(number: int, wording: Wording, by: Actor) -> RevisionSubmitted:
    revision = Revision(
        number=number,
        saddr=wording.saddr,
        ston=wording.ston,
        snpi=wording.snpi,
        dton=wording.dton,
        dnpi=wording.dnpi,
        reason=wording.reason,
    )
    return RevisionSubmitted(revision=revision, by=by)


def _approve(state: Sender, command: Approve) -> Sequence[SenderEvent]:
    submitted = _must_wait(state, command.number)
    if submitted.by.id == command.by.id and not command.self_approval:
        raise Refused("nobody approves a revision that they created themselves")
    if state.current is not None and state.current > command.number:
        raise Refused(f"revision {state.current}, which is newer, is approved already")
    return [RevisionApproved(number=command.number, by=command.by, note=command.note)]


def _must_wait(state: Sender, number: int) -> Submitted:
    submitted = state.revisions.get(number)
    if submitted is None:
        raise Refused(f"the sender has no revision {number}", code="not_found")
    if submitted.status != "pending_approval":
        raise Refused(f"revision {number} is {submitted.status}", code="illegal_transition")
    return submitted


def _with(state: Sender, number: int, submitted: Submitted) -> Sender:
    return replace(state, revisions={**state.revisions, number: submitted})


SENDER: Decider[SenderCommand, Event, State] = Decider(None, decide, evolve)


def shown(sender_id: str, sender: Sender) -> dict[str, Any]:
    """Return a sender as every answer shows it."""
    return {
        "id": sender_id,
        "name": sender.name,
        "status": sender.status,
        "current_revision": sender.current,
        "revisions": [
            {
                **submitted.revision.model_dump(),
                "status": submitted.status,
                "submitted_by": submitted.by.model_dump(),
                "note": submitted.note,
            }
            for _, submitted in sorted(sender.revisions.items())
        ],
    }
