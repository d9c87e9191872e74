"""Who goes next on a link: workspaces take turns, and within each its campaigns. No I/O.

A turn is measured in segments, since that is what a link is short of: who has been served least
goes next. Whoever comes new starts level with the others and has no claim on the past, so a small
campaign beside a big one ends in time proportional to its own size.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Protocol

from dispatcher.resting import Recipient


class Waiting(Protocol):
    """A campaign, as far as turns are concerned."""

    @property
    def id(self) -> str:
        """What names it."""
        ...

    @property
    def workspace(self) -> str:
        """Whose it is."""
        ...

    @property
    def waits(self) -> bool:
        """Whether it has a message to send."""
        ...

    def pop(self) -> Recipient:
        """Take out its next message."""
        ...


class Shares:
    """A line of names by what they were served; among equals, the longest unserved first."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        self._line: list[tuple[int, int, str]] = []
        self._level = 0
        self._turns = count()

    def begin(self, names: Iterable[str]) -> None:
        """Line up those who wait; newcomers start where the least served of the others is."""
        known, self._places = self._places, {}
        for name in names:
            place = known.get(name)
            if place is None or place[0] < self._level:
                place = self._level, next(self._turns)
            self._places[name] = place
        ahead = {name: place for name, place in known.items() if place[0] > self._level}
        self._line = [(*place, name) for name, place in self._places.items()]
        heapq.heapify(self._line)
        self._places = ahead | self._places

    def first(self) -> str | None:
        """Return who is next."""
        return self._line[0][2] if self._line else None

    def serve(self, cost: int) -> None:
        """Charge the first one, who lines up again."""
        served, _, name = self._line[0]
        self._level = served
        self._places[name] = served + cost, next(self._turns)
        heapq.heapreplace(self._line, (*self._places[name], name))

    def leave(self, name: str) -> None:
        """Take somebody who has nothing more out of the line."""
        self._line = [place for place in self._line if place[2] != name]
        heapq.heapify(self._line)


class Fairness:
    """Picks messages within a budget of segments, so that nobody waits for somebody else's end."""

    def __init__(self) -> None:
        self._workspaces = Shares()
        self._campaigns: dict[str, Shares] = {}

    def pick[W: Waiting](
        self, waiting: Iterable[W], budget: int, cost: Callable[[Recipient], int]
    ) -> Sequence[tuple[W, list[Recipient]]]:
        """Choose the next messages. The last of them may be longer than what is left."""
        by_id = {campaign.id: campaign for campaign in waiting if campaign.waits}
        self._begin(by_id.values())
        picked: dict[str, list[Recipient]] = {}
        while budget > 0 and (workspace := self._workspaces.first()) is not None:
            campaigns = self._campaigns[workspace]
            name = campaigns.first()
            if name is None:
                self._workspaces.leave(workspace)
                continue
            recipient = by_id[name].pop()
            picked.setdefault(name, []).append(recipient)
            spent = cost(recipient)
            budget -= spent
            campaigns.serve(spent)
            self._workspaces.serve(spent)
            if not by_id[name].waits:
                campaigns.leave(name)
        return [(by_id[name], recipients) for name, recipients in picked.items()]

    def _begin(self, waiting: Iterable[Waiting]) -> None:
        names: dict[str, list[str]] = {}
        for campaign in waiting:
            names.setdefault(campaign.workspace, []).append(campaign.id)
        self._workspaces.begin(names)
        self._campaigns = {
            workspace: self._campaigns.get(workspace) or Shares() for workspace in names
        }
        for workspace, campaigns in self._campaigns.items():
            campaigns.begin(names[workspace])
