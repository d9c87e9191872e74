"""The window of a bind: what is on the way leaves it once, answered, given up or lost."""

from dispatcher.links.link import Part, Source
from dispatcher.links.window import Window


def _window(*sequences: int) -> Window:
    """Put a submit per second into a window; message and sequence number are the same."""
    window = Window()
    for sequence in sequences:
        part = Part(("c", sequence, 0), "+1", 0, b"x", 0, udh=False, source=Source("Shop"))
        window.put(sequence, part, float(sequence))
    return window


def test_an_answer_frees_its_place_once() -> None:
    window = _window(1, 2)
    answered = window.answered(1)
    assert answered is not None
    part, since = answered
    assert (part.key, since, len(window)) == (("c", 1, 0), 1.0, 1)
    assert window.answered(1) is None


def test_only_what_has_waited_too_long_is_given_up() -> None:
    window = _window(1, 2, 3)
    assert window.give_up(2.0) == [("c", 1, 0), ("c", 2, 0)]
    assert window.give_up(2.0) == []
    assert 3 in window


def test_an_answer_to_what_was_given_up_still_finds_its_message_once() -> None:
    window = _window(1)
    window.give_up(1.0)
    assert window.answered(1) is None
    assert window.answered_late(1) == ("c", 1, 0)
    assert window.answered_late(1) is None


def test_everything_too_old_is_given_up_however_much_it_is() -> None:
    window = _window(*range(20_000))
    assert len(window.give_up(20_000.0)) == 20_000
    assert len(window) == 0


def test_what_was_not_written_when_the_session_ended_was_not_sent() -> None:
    window = _window(1)
    window.written()
    part = Part(("c", 2, 0), "+1", 0, b"x", 0, udh=False, source=Source("Shop"))
    window.put(2, part, 2.0)
    assert window.lose() == [(("c", 1, 0), "unknown"), (("c", 2, 0), "unsent")]
    assert window.lose() == []
