"""A whole platform that is watched: what its metrics and traces tell of a few campaigns."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from collector import Collector, Seen, collecting
from metrics_table import DOCUMENT, SERVICES, documented
from stack_campaigns import Crew, csv_of, phones
from stacks import Platform, platform, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MESSAGES = 600
CALLS = 60
CARRIER = """
[answers]
latency_ms = 5
[receipts]
min_s = 0.05
mean_s = 0.2
max_s = 1
"""
TELEPHONY = """
[[telephony]]
id = "sim"
type = "simulator"
seed = 5
time_scale = 60
talk_mean_s = 30
"""
VOICE: dict[str, Any] = {
    "channel": "voice",
    "name": "Autumn",
    "destination": "sim:agents",
    "caller_ids": ["+4930111111"],
    "concurrency_limit": 30,
    "cps_limit": 100,
    "time_window": {"start": "00:00", "end": "23:59", "timezone": "UTC"},
    "campaign_mode": "continuous",
    "redial_rules": {"max_attempts": 1, "retry_delay_minutes": 0},
}
WAY_OF_A_CAMPAIGN = (
    *("POST /api/v1/campaigns", "command Create", "append campaign.created"),
    *("PUT /api/v1/campaigns/{campaign_id}/contacts", "command AcceptContacts"),
    *("POST /api/v1/moderation/campaigns/{campaign_id}/approve", "append moderation.approved"),
    *("react moderation.approved", "command Approve", "append campaign.approved"),
    *("plan", "react message.plan_finished", "command MarkBuilt", "append campaign.built"),
    *("command KeepTime", "append campaign.started", "submit"),
    *("finish", "react message.finished", "command Complete", "append campaign.completed"),
)
WAY_OF_CALLS = (
    *(
        "POST /api/v1/campaigns/{campaign_id}/start",
        "command Start",
        "append campaign.dialling_started",
    ),
    *("open run", "dial", "finish", "react call.finished", "command FinishRun"),
)
NUMBER = re.compile(rb"4915112\d{6}|4930111111")


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as started:
        yield started


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Platform]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        folder = tmp_path_factory.mktemp("watched")
        with platform(folder, carrier=CARRIER, telephony=TELEPHONY) as started:
            yield started


@pytest.fixture(scope="module")
def campaigns(up: Platform) -> dict[str, str]:
    """Campaigns that have come to their end: one for SMS, one for voice."""
    return asyncio.run(brought_about(up))


async def brought_about(up: Platform) -> dict[str, str]:
    crew = Crew.of(up, "watched")
    try:
        sms = await crew.launched(phones(MESSAGES))
        voice = str((await crew.post("/campaigns", VOICE))["id"])
        await crew.uploaded(voice, csv_of(phones(CALLS, MESSAGES)))
        await crew.act(voice, "start")
        await crew.until_status(sms, "done")
        async with asyncio.timeout(100):
            while (await crew.seen(f"/campaigns/{voice}"))["status"] != "completed":
                await asyncio.sleep(0.2)
    finally:
        await crew.close()
    return {"sms": sms, "voice": voice}


async def told(up: Platform, service: str) -> str:
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{up.file().services[service].url}/metrics")).text


def families(text: str) -> dict[str, Metric]:
    """Metrics by name, as the document writes it."""
    return {
        f"{one.name}_total" if one.type == "counter" else one.name: one
        for one in text_string_to_metric_families(text)
    }


def value(text: str, name: str, **labels: str) -> float:
    """The sum of the samples with these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def test_every_service_exposes_what_is_documented_of_it_and_nothing_else(
    up: Platform, campaigns: dict[str, str]
) -> None:
    documents = documented(DOCUMENT.read_text())
    for service in SERVICES:
        text = await told(up, service)
        found = families(text)
        expected = {name for name, one in documents.items() if service in one.services}
        assert expected - found.keys() == set(), f"not exposed by {service}"
        moved = {
            name
            for name, one in found.items()
            if one.samples and any(sample.value for sample in one.samples)
        }
        assert moved - expected == set(), f"not documented of {service}"
        for name, one in found.items():
            labels = {label for sample in one.samples for label in sample.labels} - {"le"}
            assert labels <= documents[name].labels, name
        for private in (*campaigns.values(), "watched", "4915112"):
            assert private not in text, f"{service} tells {private}"


async def test_the_metrics_tell_what_has_happened(up: Platform, campaigns: dict[str, str]) -> None:
    assert campaigns
    texts = dict(
        zip(SERVICES, await asyncio.gather(*(told(up, one) for one in SERVICES)), strict=True)
    )
    campaign, dispatcher = texts["campaign"], texts["dispatcher"]
    link = {"link": "sim"}
    assert value(campaign, "carillon_commands_total", command="Create", outcome="done") == 2
    created = {"method": "POST", "route": "/api/v1/campaigns", "status": "2xx"}
    assert value(campaign, "carillon_http_request_seconds_count", **created) == 2
    assert value(campaign, "carillon_log_events_total", type="campaign.created") == 1
    assert value(campaign, "carillon_reactions_total", verdict="done") >= 4
    assert value(campaign, "carillon_core_up", core="sms") == 1
    assert value(campaign, "carillon_core_up", core="voice") == 1
    assert value(dispatcher, "carillon_link_up", **link) == 1
    assert value(dispatcher, "carillon_link_submitted_segments_total", **link) == MESSAGES
    assert value(dispatcher, "carillon_link_answers_total", verdict="accepted") == MESSAGES
    assert value(dispatcher, "carillon_link_message_seconds_count", **link) == MESSAGES
    assert value(dispatcher, "carillon_link_message_seconds_bucket", le="10.0") == MESSAGES
    assert value(dispatcher, "carillon_link_submit_seconds_count", **link) == MESSAGES
    assert value(dispatcher, "carillon_link_report_seconds_count", **link) == MESSAGES
    assert value(dispatcher, "carillon_planned_messages_total") == MESSAGES
    assert value(dispatcher, "carillon_held_leases", kind="link") == 1
    assert value(texts["dialler"], "carillon_dials_total") == CALLS
    assert value(texts["dialler"], "carillon_attempts_total") == CALLS
    for service in SERVICES:
        assert value(texts[service], "carillon_build_info", service=service) == 1
        assert value(texts[service], "process_resident_memory_bytes") > 0


async def test_the_size_of_the_log_is_measured_again_and_again(
    up: Platform, campaigns: dict[str, str]
) -> None:
    assert campaigns
    async with asyncio.timeout(30):
        while not value(await told(up, "read_model"), "carillon_stream_bytes", stream="MESSAGES"):
            await asyncio.sleep(0.2)


async def test_views_that_have_caught_up_are_told_to_be_so(
    up: Platform, campaigns: dict[str, str]
) -> None:
    assert campaigns
    async with asyncio.timeout(30):
        for service in SERVICES:
            while value(text := await told(up, service), "carillon_projection_lag_entries"):
                await asyncio.sleep(0.2)
            assert value(text, "carillon_projection_lag_seconds") == 0
            assert value(text, "carillon_projection_position_entries") > 0


async def test_metrics_do_not_pass_the_edge(up: Platform) -> None:
    async with httpx.AsyncClient(base_url=up.url) as stranger, up.client("w", "admin") as admin:
        for path in ("/metrics", "/metrics/", "/readyz"):
            assert "carillon_" not in (await stranger.get(path)).text
        assert (await stranger.get("/metrics")).status_code == 404
        assert (await admin.get(f"{up.url}/metrics")).status_code == 404
        assert (await admin.get("/metrics")).status_code == 404


async def test_a_campaign_is_one_connected_trace_from_its_creation_to_its_end(
    collector: Collector, campaigns: dict[str, str]
) -> None:
    for kind, way in (("sms", WAY_OF_A_CAMPAIGN), ("voice", WAY_OF_CALLS)):
        [creation] = [
            span
            for span in collector.named("command Create")
            if span.facts["carillon.thing"] == campaigns[kind]
        ]

        def missing(start: Seen = creation, names: tuple[str, ...] = way) -> set[str]:
            return set(names) - {span.name for span in collector.connected(start.trace)}

        await until(lambda: not missing(), f"a whole trace of {kind}, without {missing()}", 20)
    [started] = collector.named("append campaign.created")
    command = collector.parent_of(started)
    assert command is not None
    request = collector.parent_of(command)
    assert request is not None
    assert (command.name, request.name) == ("command Create", "POST /api/v1/campaigns")
    [reaction] = collector.named("react moderation.approved")
    cause = collector.parent_of(reaction)
    assert cause is not None
    assert (cause.service, cause.name) == ("moderation", "append moderation.approved")


async def test_spans_are_per_batch_and_hold_nothing_personal(
    collector: Collector, campaigns: dict[str, str]
) -> None:
    assert campaigns

    def submitted() -> int:
        return sum(int(span.facts["carillon.messages"]) for span in collector.named("submit"))

    await until(lambda: submitted() >= MESSAGES, "the last spans of the dispatcher", 20)
    assert submitted() == MESSAGES
    assert len(collector.named("submit")) < MESSAGES / 4
    assert [span for span in collector.spans if span.failure is not None] == []
    words = {word for span in collector.spans for word in span.words}
    for private in ("we are open", "?", "ann", "mo", "N1", "Bearer", "python-httpx", "127.0.0.1"):
        assert not any(private == word or f"{private} " in word for word in words), private
    assert not any(NUMBER.search(body) for body in collector.bodies)


async def test_log_lines_tell_the_trace_that_they_belong_to(
    up: Platform, collector: Collector, campaigns: dict[str, str]
) -> None:
    lines = [json.loads(line) for line in up.log_of("dispatcher").splitlines()]
    [planned] = [line for line in lines if line["event"] == "planned"]
    assert planned["campaign"] == campaigns["sms"]
    plans = {(plan.trace.hex(), plan.id.hex()) for plan in collector.named("plan")}
    assert (planned["trace_id"], planned["span_id"]) in plans
