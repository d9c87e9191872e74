"""The phone network itself: rings people, lets them talk, remembers what callers must be told."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from time import time
from typing import Any, Final

from phones.call import Call, Event, Listener
from phones.config import Behaviour
from phones.fate import Failure, Fates
from phones.ledger import Ledger, Line
from phones.wire import Wanted

REMEMBERED: Final = 200_000
"""Ended calls whose outcome can still be asked for."""

FAILURES: Final[dict[Failure, tuple[str, int, int]]] = {
    "busy": ("busy", 17, 486),
    "rejected": ("rejected", 21, 603),
    "unallocated": ("unallocated", 1, 404),
    "congested": ("error", 34, 503),
    "unreachable": ("timeout", 18, 408),
}
"""Outcome, Q.850 cause and SIP status, as a carrier would give them."""
_NO_ANSWER: Final = ("no_answer", 19, 480)
_CLEARED: Final = ("answered", 16, None)
_NO_ROUTE: Final = ("answered", 3, None)
_CANCELLED: Final = ("cancelled", 16, 487)

type End = tuple[str, int, int | None]


class Exchange:
    """Everything of one telephony that outlives a connection."""

    def __init__(self, behaviour: Behaviour, ledger: Ledger) -> None:
        self._behaviour = behaviour
        self._ledger = ledger
        self._loop = asyncio.get_running_loop()
        self._fates = Fates(behaviour)
        self._live: dict[str, Call] = {}
        self._over: OrderedDict[str, Event] = OrderedDict()
        self._owing: dict[int, Call] = {}
        self._number = 0

    # -- what callers ask for --------------------------------------------------------------

    def originate(self, listener: Listener, calls: Iterable[Wanted]) -> None:
        """Ring people; whoever is known already is only told of again."""
        lines: list[Line] = []
        for wanted in calls:
            known = wanted.call_id in self._live or wanted.call_id in self._over
            if known:
                lines.append(self._line("repeated", wanted))
                self.recall(listener, [wanted.call_id])
                if wanted.call_id in self._over:
                    listener.tell([self._over[wanted.call_id]])
                continue
            nth = self._fates.count(wanted.phone)
            call = Call(wanted, self._fates.of(wanted.phone, nth), nth, time(), listener)
            self._live[wanted.call_id] = call
            lines.append(self._line("dialled", wanted, caller_id=wanted.caller_id, nth=nth))
            self._dial(call)
        self._ledger.put(lines)

    def attach(self, calls: Iterable[str]) -> None:
        """Let answered calls talk to whom they were meant for."""
        for call in self._known(calls):
            if call.state not in ("answered", "screening"):
                continue
            call.still()
            if call.wanted.destination not in self._behaviour.targets:
                self._end(call, _NO_ROUTE, "us")
                continue
            call.state, call.attached_at = "attached", time()
            self._emit(call, "attached")
            self._after(call, call.fate.talk_s, self._talked)

    def hang_up(self, calls: Iterable[str]) -> None:
        """End calls."""
        for call in self._known(calls):
            self._end(call, _CANCELLED if call.answered_at is None else _CLEARED, "us")

    def live(self) -> list[dict[str, Any]]:
        """Every live call and where it is."""
        return [{"call_id": one, "state": call.state} for one, call in self._live.items()]

    def recall(self, listener: Listener, calls: Iterable[str]) -> list[dict[str, Any]]:
        """Tell a new listener where calls are, after all that nobody has acknowledged."""
        wanted = set(calls)
        owing = {id(call): call for call in self._owing.values() if call.wanted.call_id in wanted}
        for call in (*self._known(wanted), *owing.values()):
            call.listener = listener
        owed = (event for call in owing.values() for event in call.owed.values())
        again = sorted(owed, key=lambda event: event["token"])
        if again:
            listener.tell(again)
        return [self._standing(call_id) for call_id in wanted]

    def acknowledge(self, events: Iterable[int]) -> None:
        """Owe these events to nobody any more."""
        for number in events:
            call = self._owing.pop(number, None)
            if call is not None:
                del call.owed[number]

    def left(self, listener: Listener) -> None:
        """A caller is gone; its calls live on and keep what should be told."""
        for call in (*self._live.values(), *self._owing.values()):
            if call.listener is listener:
                call.listener = None

    def close(self) -> None:
        """Let nothing more happen."""
        for call in self._live.values():
            call.still()

    # -- after a death ---------------------------------------------------------------------

    def remember(self, lines: Iterable[Line]) -> None:
        """Learn from the ledger who was called before; calls that lived then have died with us."""
        begun: dict[str, Line] = {}
        for line in lines:
            if line["telephony"] != self._behaviour.id:
                continue
            if line["event"] == "dialled":
                self._fates.count(line["phone"])
                begun[line["call_id"]] = line
            elif line["event"] == "answered" and line["call_id"] in begun:
                begun[line["call_id"]]["answered_at"] = line["at"]
            elif line["event"] == "ended":
                begun.pop(line["call_id"], None)
                self._keep({**_told(line), "token": 0})
        died = [self._died(line) for line in begun.values()]
        self._ledger.put(died)
        for line in died:
            self._keep({**_told(line), "token": 0})

    def _died(self, line: Line) -> Line:
        answered_at = line.get("answered_at")
        return {
            **line,
            "event": "ended",
            "at": time(),
            "outcome": "unknown" if answered_at is None else "answered",
            "cause": {"q850": 0, "sip": None},
            "by": "death",
            "dialled_at": line["at"],
            "answered_at": answered_at,
        }

    # -- what happens by itself ------------------------------------------------------------

    def _dial(self, call: Call) -> None:
        gives_up_s = self._scaled(call.wanted.ring_timeout_s)
        if call.fate.failure == "unreachable" or call.fate.post_dial_s >= gives_up_s:
            self._after(call, gives_up_s, lambda call: self._end(call, FAILURES["unreachable"]))
        elif call.fate.rings:
            self._after(call, call.fate.post_dial_s, self._ring)
        else:
            self._after(call, call.fate.post_dial_s, self._fail)

    def _ring(self, call: Call) -> None:
        call.state, call.ringing_at = "ringing", time()
        self._emit(call, "ringing")
        left_s = self._scaled(call.wanted.ring_timeout_s) - call.fate.post_dial_s
        reacts = call.fate.answer or call.fate.failure
        if reacts is None or call.fate.ring_s >= left_s:
            self._after(call, left_s, lambda call: self._end(call, _NO_ANSWER))
        else:
            self._after(call, call.fate.ring_s, self._answer if call.fate.answer else self._fail)

    def _fail(self, call: Call) -> None:
        if call.fate.failure is not None:
            self._end(call, FAILURES[call.fate.failure])

    def _answer(self, call: Call) -> None:
        call.answered_at = call.ringing_until = time()
        self._ledger.put([self._line("answered", call.wanted)])
        amd_ms = call.wanted.amd_ms
        call.state = "answered" if amd_ms is None else "screening"
        self._emit(call, "answered")
        call.patience = self._loop.call_later(
            call.fate.patience_s, lambda: self._end(call, _CLEARED)
        )
        if amd_ms is not None:
            limit_s = self._scaled(amd_ms / 1000)
            late = call.fate.screen_s > limit_s
            verdict = "unknown" if late else call.fate.verdict
            self._after(
                call, min(call.fate.screen_s, limit_s), lambda call: self._screen(call, verdict)
            )

    def _screen(self, call: Call, verdict: str) -> None:
        call.state = "answered"
        self._emit(call, "screened", verdict=verdict)

    def _talked(self, call: Call) -> None:
        fate = call.fate
        said: dict[str, Any] = {"disposition": fate.disposition}
        if fate.disposition == "callback_requested":
            preferred = None if fate.callback_s is None else time() + fate.callback_s
            said["callback"] = {"preferred_time": preferred, "reason": fate.callback_reason}
        self._end(call, _CLEARED, "them", said)

    def _end(
        self, call: Call, end: End, by: str = "them", said: dict[str, Any] | None = None
    ) -> None:
        call.still()
        now = time()
        outcome, cause, sip = end
        call.state = "ended"
        if call.ringing_at is not None and call.ringing_until is None:
            call.ringing_until = now
        wrap_s = call.fate.wrap_s if call.attached_at is not None else 0.0
        line = self._line(
            "ended",
            call.wanted,
            at=now,
            outcome=outcome,
            cause={"q850": cause, "sip": sip},
            by=by,
            nth=call.nth,
            dialled_at=call.dialled_at,
            ringing_at=call.ringing_at,
            ringing_until=call.ringing_until,
            answered_at=call.answered_at,
            attached_at=call.attached_at,
            wrap_s=wrap_s,
            **(said or {}),
        )
        self._ledger.put([line])
        del self._live[call.wanted.call_id]
        event = _told(line)
        self._emit(call, **event)
        self._keep({**event, "token": 0})

    # -- the rest --------------------------------------------------------------------------

    def _emit(self, call: Call, event: str, **facts: Any) -> None:
        self._number += 1
        told = {"at": time(), **facts}
        told |= {"token": self._number, "event": event, "call_id": call.wanted.call_id}
        call.owed[self._number] = told
        self._owing[self._number] = call
        if call.listener is not None:
            call.listener.tell([told])

    def _keep(self, ended: Event) -> None:
        self._over[ended["call_id"]] = ended
        if len(self._over) > REMEMBERED:
            self._over.popitem(last=False)

    def _standing(self, call_id: str) -> dict[str, Any]:
        if call_id in self._live:
            return {"call_id": call_id, "state": self._live[call_id].state}
        return self._over.get(call_id, {"call_id": call_id, "state": "unknown"})

    def _known(self, calls: Iterable[str]) -> list[Call]:
        return [self._live[call_id] for call_id in calls if call_id in self._live]

    def _after(self, call: Call, seconds: float, step: Callable[[Call], None]) -> None:
        call.next_step = self._loop.call_later(seconds, step, call)

    def _scaled(self, seconds: float) -> float:
        return seconds / self._behaviour.time_scale

    def _line(self, event: str, wanted: Wanted, **facts: Any) -> Line:
        return {
            "event": event,
            "at": time(),
            "telephony": self._behaviour.id,
            "call_id": wanted.call_id,
            "phone": wanted.phone,
            **facts,
        }


def _told(line: Line) -> Event:
    """What callers hear of the end of a call."""
    keys = ("event", "call_id", "at", "outcome", "cause", "disposition", "callback")
    return {"wrap_s": line.get("wrap_s", 0.0), **{key: line.get(key) for key in keys}}
