import json
import re
from pathlib import Path

import pytest

from carillon.errors import PlainError
from carillon.servers.edge import ROUTES, Edge
from carillon.servers.guarding import CERTIFICATE, HOSTS, KEY, EdgeTls
from carillon.services import SERVICES

UPSTREAMS = {name: f"{name}:8000" for name in SERVICES}


def owner_of(method: str, path: str) -> str:
    """The first route that matches, as the edge takes it."""
    for route in ROUTES:
        fits = re.search(f"^/api/v1{route.pattern}$", path)
        if fits and (not route.methods or method in route.methods):
            return route.owner
    raise AssertionError(f"nobody answers {method} {path}")


@pytest.mark.parametrize(
    ("request_line", "owner"),
    [
        ("GET /api/v1/campaigns", "read_model"),
        ("POST /api/v1/campaigns", "campaign"),
        ("GET /api/v1/campaigns/c1", "read_model"),
        ("PATCH /api/v1/campaigns/c1", "campaign"),
        ("DELETE /api/v1/campaigns/c1", "campaign"),
        ("PUT /api/v1/campaigns/c1/contacts", "campaign"),
        ("POST /api/v1/campaigns/c1/pause", "campaign"),
        ("POST /api/v1/campaigns/c1/messages", "dispatcher"),
        ("PUT /api/v1/campaigns/c1/messages", "campaign"),
        ("GET /api/v1/campaigns/c1/messages", "dispatcher"),
        ("GET /api/v1/campaigns/c1/delivery-report.csv", "dispatcher"),
        ("GET /api/v1/campaigns/c1/calls", "dialler"),
        ("GET /api/v1/campaigns/c1/calls/c1-1-7/attempts", "dialler"),
        ("GET /api/v1/campaigns/c1/attempt-report.csv", "dialler"),
        ("GET /api/v1/campaigns/c1/activity", "read_model"),
        ("GET /api/v1/campaigns/c1/stream", "read_model"),
        ("POST /api/v1/messages/preview", "dispatcher"),
        ("GET /api/v1/suppressions", "dispatcher"),
        ("POST /api/v1/suppressions", "dispatcher"),
        ("PUT /api/v1/suppressions", "dispatcher"),
        ("DELETE /api/v1/suppressions/s1", "dispatcher"),
        ("GET /api/v1/links", "dispatcher"),
        ("GET /api/v1/moderation/campaigns", "moderation"),
        ("POST /api/v1/moderation/campaigns/c1/approve", "moderation"),
        ("GET /api/v1/senders", "moderation"),
        ("POST /api/v1/senders/s1/revisions", "moderation"),
        ("GET /api/v1/settings", "campaign"),
        ("PATCH /api/v1/settings", "campaign"),
        ("GET /api/v1/overview", "read_model"),
        ("GET /api/v1/overview/kpi", "read_model"),
        ("GET /api/v1/diagnostics", "read_model"),
        ("GET /api/v1/audit", "read_model"),
        ("GET /api/v1/nothing-here", "read_model"),
    ],
)
def test_a_request_reaches_the_service_that_owns_it(request_line: str, owner: str) -> None:
    assert owner_of(*request_line.split(" ")) == owner


def test_the_edge_buffers_nothing_and_has_no_admin_door(tmp_path: Path) -> None:
    edge = Edge(tmp_path, 8080, UPSTREAMS, tmp_path)
    text = json.dumps(edge.config())
    assert '"admin": {"disabled": true' in text
    assert text.count('"flush_interval": -1') == len(ROUTES)
    assert "request_buffers" not in text


def test_the_edge_listens_on_loopback_only(tmp_path: Path) -> None:
    config = json.dumps(Edge(tmp_path, 8080, UPSTREAMS, None).config())
    assert '"listen": ["127.0.0.1:8080"]' in config


def test_whoever_takes_in_a_file_may_take_its_time(tmp_path: Path) -> None:
    config = json.dumps(Edge(tmp_path, 8080, UPSTREAMS, None).config())
    hurried = [route for route in ROUTES if route.owner == "dispatcher" and not route.upload]
    assert config.count("response_header_timeout") == len(hurried)
    assert [route.methods for route in ROUTES if route.upload] == [("PUT",)]


def test_a_host_of_the_internet_gets_its_certificate_by_itself(tmp_path: Path) -> None:
    edge = Edge(tmp_path, 443, {}, None, host="", tls=EdgeTls(hosts=("carillon.example",)))
    assert '"tls": {"certificates": {"automate": ["carillon.example"]}}' in json.dumps(
        edge.config()
    )


@pytest.mark.parametrize(
    ("told", "tls"),
    [
        ({}, None),
        ({CERTIFICATE: "", KEY: "", HOSTS: " , "}, None),
        ({CERTIFICATE: "a.crt", KEY: "a.key"}, EdgeTls("a.crt", "a.key")),
        ({HOSTS: "a.example, b.example"}, EdgeTls(hosts=("a.example", "b.example"))),
    ],
)
def test_a_deployment_says_how_its_edge_proves_who_it_is(
    told: dict[str, str], tls: EdgeTls | None
) -> None:
    assert EdgeTls.of(told) == tls


def test_a_certificate_without_its_key_is_told() -> None:
    with pytest.raises(PlainError, match=f"both or none of {CERTIFICATE} and {KEY}"):
        EdgeTls.of({CERTIFICATE: "a.crt"})


@pytest.mark.parametrize(("edge", "says_so"), [({}, False), ({"behind_tls": True}, True)])
def test_browsers_are_told_of_tls_also_where_another_speaks_it(
    tmp_path: Path, edge: dict[str, bool], says_so: bool
) -> None:
    config = json.dumps(Edge(tmp_path, 8080, UPSTREAMS, None, **edge).config())  # type: ignore[arg-type]
    assert ("Strict-Transport-Security" in config) == says_so
