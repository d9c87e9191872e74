from campaign_events.message import Skipped
from dispatcher.planning import planned


def test_who_was_erased_has_a_place_and_gets_nothing() -> None:
    contacts = [
        {"number": number, "phone": f"+4915112{number:06d}", "variables": {"name": "You"}}
        for number in (2, 3, 5)
    ]
    plan = planned("audience", "Hello {{name}}", (1, 6), contacts, {"+4915112000003"})
    assert (plan.first, plan.last, plan.parts) == (1, 6, ((1, 2),))
    assert plan.skipped == (
        Skipped(number=1, reason="erased"),
        Skipped(number=3, reason="suppressed"),
        Skipped(number=4, reason="erased"),
        Skipped(number=6, reason="erased"),
    )
