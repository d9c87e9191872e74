from dataclasses import replace

from campaign_events.campaign import (
    CampaignApproved,
    CampaignCreated,
    CampaignDeleted,
    CampaignEdited,
    CampaignStopped,
    ContactsUploaded,
    SmsSettings,
)
from campaign_events.envelope import Actor, Event, Unknown
from campaign_events.moderation import ModerationApproved, ModerationRejected
from campaign_events.sender import Revision
from campaign_events.testing import given
from moderation.decision import DECISION, Approve, Reject
from moderation.estimates import glimpse
from moderation.sender import Sender, Submitted

ANN = Actor(id="ann", name="Ann")
BOB = Actor(id="bob", name="Bob")
SETTINGS = SmsSettings(name="Spring", text="Hi", sender_id="s1", link_id="sim")
REVISION = Submitted(Revision(number=1, saddr="SHOP", ston=5, snpi=0), ANN, "approved")
SHOP = Sender("Shop", {1: REVISION}, current=1)
CREATED = CampaignCreated(settings=SETTINGS, author=ANN)
UPLOADED = ContactsUploaded(
    audience="a", accepted=1, invalid=0, duplicate=0, suppressed=0, by=ANN, review=1
)
READY: tuple[Event, ...] = (CREATED, UPLOADED)


def approve(by: Actor = BOB, sender: Sender | None = SHOP, sender_id: str = "s1") -> Approve:
    return Approve(by, None, sender_id, sender)


def test_a_ready_campaign_is_approved() -> None:
    given(DECISION, *READY).when(approve()).then(ModerationApproved(by=BOB))


def test_a_campaign_that_needs_no_upload_is_ready_when_it_says_so() -> None:
    trigger = CampaignCreated(settings=SETTINGS, author=ANN, review=1)
    given(DECISION, trigger).when(approve()).then(ModerationApproved(by=BOB))


def test_a_campaign_is_rejected_with_a_reason() -> None:
    given(DECISION, *READY).when(Reject(BOB, "no")).then(ModerationRejected(by=BOB, note="no"))


def test_without_contacts_there_is_nothing_to_approve() -> None:
    given(DECISION, CREATED).when(approve()).then_refused("the campaign has no contacts yet")


def test_a_copy_without_the_time_it_needs_is_not_ready() -> None:
    uploaded = UPLOADED.model_copy(update={"review": 0})
    given(DECISION, CREATED, uploaded).when(approve()).then_refused(
        "the campaign lacks a time that its mode needs"
    )


def test_a_workspace_may_let_people_approve_their_own_campaigns() -> None:
    own = replace(approve(by=ANN), self_approval=True)
    given(DECISION, *READY).when(own).then(ModerationApproved(by=ANN))


def test_nobody_approves_their_own_campaign() -> None:
    given(DECISION, *READY).when(approve(by=ANN)).then_refused(
        "nobody approves a campaign that they created themselves", code="refused"
    )


def test_the_sender_must_be_usable() -> None:
    ready = given(DECISION, *READY)
    ready.when(approve(sender=None)).then_refused("the campaign's sender does not exist")
    ready.when(approve(sender=Sender("Shop"))).then_refused("the sender has no approved revision")
    archived = Sender("Shop", {1: REVISION}, current=1, archived=True)
    ready.when(approve(sender=archived)).then_refused("the sender is archived")


def test_an_approval_is_for_the_sender_that_was_looked_at() -> None:
    edited = CampaignEdited(settings=SETTINGS.model_copy(update={"sender_id": "s2"}), by=ANN)
    given(DECISION, *READY, edited).when(approve()).then_refused(code="conflict")


def test_a_second_decision_is_refused() -> None:
    decided = given(DECISION, *READY, ModerationApproved(by=BOB))
    decided.when(approve()).then_refused(code="illegal_transition")
    decided.when(Reject(BOB, "no")).then_refused(code="illegal_transition")


def test_only_new_campaigns_are_decided_about() -> None:
    for moved in (
        CampaignApproved(was="new", by=BOB, review=-1),
        CampaignStopped(was="new", by=ANN, review=-1),
    ):
        given(DECISION, *READY, moved).when(approve()).then_refused(code="illegal_transition")


def test_a_campaign_that_is_not_there_can_not_be_decided_about() -> None:
    given(DECISION).when(approve()).then_refused(code="not_found")
    gone = CampaignDeleted(was="new", by=ANN, review=-1)
    given(DECISION, *READY, gone).when(Reject(BOB, "no")).then_refused(code="not_found")


def test_facts_of_a_later_version_change_nothing() -> None:
    later = Unknown(type="campaign.painted", data={})
    given(DECISION, *READY, later).when(approve()).then(ModerationApproved(by=BOB))


def test_an_estimate_leaves_out_who_lacks_a_variable() -> None:
    seen = glimpse("Hi {{name}}", [{"name": "Ann"}, {}, {"name": "ж" * 71}, {"name": "Bo"}])
    assert (seen.segments, seen.sample) == (1.0, "Hi Ann")
    assert glimpse("Hi {{name}}", [{"name": "x" * 2000}, {"name": "Bo"}]).segments == 0.5


def test_a_sample_without_anybody_is_the_text_as_it_was_written() -> None:
    assert glimpse("Hi {{name}}", []).sample == "Hi {{name}}"
    assert glimpse("Hi", []).sample == "Hi"
