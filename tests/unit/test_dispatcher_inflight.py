from typing import Any

import pytest

from dispatcher import inflight
from dispatcher.inflight import InFlight, Message


def test_what_the_view_holds_leaves_memory_the_oldest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inflight, "KEPT", 2)
    nowhere: Any = None
    known = InFlight("l", nowhere, lambda: 5, nowhere)
    for number, seq in enumerate((4, 5, 6, 0)):
        known.know(Message("c", "w", number, parts=1, seq=seq), 0, f"id{number}")

    known.let_go()
    assert list(known._by_id) == ["id2", "id3"]


def test_what_the_view_does_not_hold_yet_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflight, "KEPT", 1)
    nowhere: Any = None
    known = InFlight("l", nowhere, lambda: 5, nowhere)
    for number, seq in enumerate((6, 4)):
        known.know(Message("c", "w", number, parts=1, seq=seq), 0, f"id{number}")

    known.let_go()
    assert list(known._by_id) == ["id0", "id1"]
