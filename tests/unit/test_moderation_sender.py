import pytest

from campaign_events.envelope import Actor
from campaign_events.sender import (
    Revision,
    RevisionApproved,
    RevisionRejected,
    RevisionSubmitted,
    SenderArchived,
    SenderCreated,
)
from campaign_events.testing import given
from moderation.addresses import source
from moderation.sender import SENDER, Approve, Archive, Create, Reject, Revise, Wording

ANN = Actor(id="ann", name="Ann")
BOB = Actor(id="bob", name="Bob")
WORDING = Wording("SHOP", 5, 0)
CREATED = SenderCreated(name="Shop", by=ANN)


def submitted(number: int, saddr: str = "SHOP") -> RevisionSubmitted:
    revision = Revision(number=number, saddr=saddr, ston=5, snpi=0)
    return RevisionSubmitted(revision=revision, by=ANN)


def approved(number: int) -> RevisionApproved:
    return RevisionApproved(number=number, by=BOB)


def test_a_new_sender_submits_its_first_revision_at_once() -> None:
    given(SENDER).when(Create("Shop", WORDING, ANN)).then(CREATED, submitted(1))


def test_revisions_are_numbered_in_turn() -> None:
    history = (CREATED, submitted(1), approved(1))
    given(SENDER, *history).when(Revise(WORDING, ANN)).then(submitted(2))


def test_a_moderator_approves_a_revision() -> None:
    given(SENDER, CREATED, submitted(1)).when(Approve(1, BOB)).then(approved(1))


def test_nobody_approves_their_own_revision() -> None:
    given(SENDER, CREATED, submitted(1)).when(Approve(1, ANN)).then_refused(
        "nobody approves a revision that they created themselves", code="refused"
    )


def test_whoever_submitted_a_revision_may_take_it_back_by_a_rejection() -> None:
    given(SENDER, CREATED, submitted(1)).when(Reject(1, ANN, "typo")).then(
        RevisionRejected(number=1, by=ANN, note="typo")
    )


def test_a_revision_is_decided_once() -> None:
    decided = (CREATED, submitted(1), approved(1))
    given(SENDER, *decided).when(Reject(1, BOB, "no")).then_refused(code="illegal_transition")
    given(SENDER, *decided).when(Approve(1, BOB)).then_refused(code="illegal_transition")


def test_an_older_revision_does_not_replace_a_newer_one() -> None:
    history = (CREATED, submitted(1), submitted(2), approved(2))
    given(SENDER, *history).when(Approve(1, BOB)).then_refused(
        "revision 2, which is newer, is approved already"
    )


def test_a_revision_that_is_not_there_can_not_be_decided() -> None:
    given(SENDER, CREATED, submitted(1)).when(Approve(2, BOB)).then_refused(code="not_found")


def test_a_sender_is_archived_once_and_for_good() -> None:
    given(SENDER, CREATED, submitted(1)).when(Archive(ANN)).then(SenderArchived(by=ANN))
    archived = given(SENDER, CREATED, submitted(1), SenderArchived(by=ANN))
    archived.when(Archive(ANN)).then()
    archived.when(Revise(WORDING, ANN)).then_refused(code="illegal_transition")
    archived.when(Approve(1, BOB)).then_refused(code="illegal_transition")


def test_there_is_nothing_to_do_with_no_sender() -> None:
    given(SENDER).when(Archive(ANN)).then_refused(code="not_found")


def test_a_sender_stands_where_its_revisions_stand() -> None:
    def status(*events: object) -> str:
        sender = SENDER.fold([CREATED, *events])  # type: ignore[list-item]
        assert sender is not None
        return sender.status

    rejected = RevisionRejected(number=1, by=BOB, note="no")
    assert status(submitted(1)) == "pending_approval"
    assert status(submitted(1), rejected) == "rejected"
    assert status(submitted(1), rejected, submitted(2)) == "pending_approval"
    assert status(submitted(1), approved(1), submitted(2)) == "approved"
    assert status(submitted(1), approved(1), SenderArchived(by=ANN)) == "archived"


@pytest.mark.parametrize(
    ("saddr", "expected"),
    [
        ("SHOP", ("SHOP", 5, 0)),
        (" My Shop 24 ", ("My Shop 24", 5, 0)),
        ("+447700900123", ("447700900123", 1, 1)),
        ("447700900123", ("447700900123", 1, 1)),
        ("60006", ("60006", 3, 0)),
    ],
)
def test_type_and_plan_follow_from_the_address(saddr: str, expected: tuple[str, int, int]) -> None:
    found = source(saddr)
    assert (found.saddr, found.ston, found.snpi) == expected


def test_type_and_plan_can_be_stated() -> None:
    assert source("60006", ston=0, snpi=1) == source("60006", 0, 1)
    assert (source("2024", ston=5).ston, source("2024", ston=5).snpi) == (5, 0)


@pytest.mark.parametrize(
    "saddr", ["", " ", "TWELVE CHARS", "TEN CHARS€€", "日本", "A\nB", "1" * 16]
)
def test_an_address_that_no_phone_could_show_is_refused(saddr: str) -> None:
    with pytest.raises(ValueError, match=r"sender|number"):
        source(saddr)
