"""Asking everything that boards and alerts ask, and judging the answers."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from carillon.servers.prometheus import Prometheus, Rule, mentioned
from carillon.watch.boards import EmptyState, Expression

ALERTS = "alerts"
"""The board, so to speak, of all alerts."""
AT_ONCE = 8


class Verdict(StrEnum):
    """What is to be thought of an expression's answers."""

    DATA = "data"
    QUIET = "quiet"  # an alert that has no reason to fire
    EMPTY = "empty"  # nothing, and a documented reason for it
    FIRING = "firing"
    NOTHING = "nothing"


@dataclass(slots=True)
class Watched:
    """An expression and what it has given so far."""

    expression: Expression
    reason: EmptyState | None = None
    values: Sequence[float] = ()
    """What it gave when it gave anything last."""
    highest: float | None = None
    """The greatest of all that it has given."""
    verdict: Verdict = Verdict.NOTHING

    def hear(self, values: Sequence[float]) -> None:
        """Take in what it gives now."""
        self.values = values or self.values
        self.highest = max(
            [*values, *([] if self.highest is None else [self.highest])], default=None
        )
        self.verdict = self.judged(has_data=self.highest is not None)

    def judged(self, *, has_data: bool) -> Verdict:
        """What to think of it."""
        if has_data:
            return Verdict.QUIET if self.expression.board == ALERTS else Verdict.DATA
        return Verdict.NOTHING if self.reason is None else Verdict.EMPTY


@dataclass(slots=True)
class Watch:
    """Everything that is watched, and what was seen of it until now."""

    prometheus: Prometheus
    empty: Sequence[EmptyState]
    lines: list[Watched]
    alerts: dict[str, Watched] = field(default_factory=dict)

    @classmethod
    def of(
        cls, prometheus: Prometheus, boards: Iterable[Expression], empty: Sequence[EmptyState]
    ) -> "Watch":
        """Watch these expressions, and the alerts that Prometheus knows."""
        return cls(prometheus, empty, [Watched(one, _reason(one, empty)) for one in boards])

    @property
    def everything(self) -> list[Watched]:
        """Every expression, alerts last."""
        return [*self.lines, *self.alerts.values()]

    @property
    def is_complete(self) -> bool:
        """Whether the alerts are known, and nothing is unexplained."""
        return bool(self.alerts) and not self.unexplained

    @property
    def unexplained(self) -> list[Watched]:
        """Those that give nothing though nobody said why."""
        return [one for one in self.everything if one.verdict is Verdict.NOTHING]

    @property
    def needless(self) -> list[EmptyState]:
        """Reasons for being empty that nothing needs: no such expression, or it has data."""
        needed = {one.reason for one in self.everything if one.verdict is Verdict.EMPTY}
        return [one for one in self.empty if one not in needed]

    async def look(self) -> None:
        """Ask everything once.

        Raises:
            BadExpressionError: Prometheus cannot evaluate one of them.

        """
        turn = asyncio.Semaphore(AT_ONCE)

        async def ask(one: Watched) -> None:
            async with turn:
                one.hear(await self.prometheus.values(one.expression.text))

        await asyncio.gather(*(ask(one) for one in self.lines))
        known = await self.prometheus.metrics()
        for rule in await self.prometheus.rules():
            self._hear(rule, known)

    def _hear(self, rule: Rule, known: set[str]) -> None:
        """An alert mostly gives nothing; what it looks at must be there."""
        one = self.alerts.get(rule.name)
        if one is None:
            expression = Expression(ALERTS, rule.name, "", rule.query)
            one = self.alerts[rule.name] = Watched(expression, _reason(expression, self.empty))
        if rule.state == "firing":
            one.verdict = Verdict.FIRING
        else:
            fine = rule.health != "err" and mentioned(rule.query) <= known
            one.verdict = one.judged(has_data=fine)


def _reason(expression: Expression, empty: Sequence[EmptyState]) -> EmptyState | None:
    return next((one for one in empty if one.covers(expression)), None)
