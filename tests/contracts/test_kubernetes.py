"""The manifests in `deploy/kubernetes`: valid, closed, and routed as the edge routes."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import gateway_routes
from api_document import document
from campaign_events.settings import PREFIX, Settings
from carillon.servers.edge import ROUTES

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSION = "1.37"
OVERLAYS = ("production", "small")
GATEWAY = "gateway.networking.k8s.io/v1"
"""Its kinds have no schema in what validates here."""
SERVICES = ("campaign", "moderation", "dispatcher", "dialler", "read-model")
PARAMETER = re.compile(r"\{[^}]+\}")
MOST_MATCHES, MOST_RULES = 64, 16

type Json = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Json, ...]:
    """What would be applied to a cluster."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl, which renders overlays, is not on this machine")
    command = ("kubectl", "kustomize", str(FOLDER / "overlays" / overlay))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, kind: str) -> dict[str, Json]:
    return {one["metadata"]["name"]: one for one in rendered(overlay) if one["kind"] == kind}


def written() -> Iterator[Json]:
    """Every document of the base, as it stands in its file."""
    for file in sorted((FOLDER / "base").glob("*.yaml")):
        if file.name not in ("kustomization.yaml", "every-service.yaml"):
            yield from yaml.safe_load_all(file.read_text())


@cache
def matches() -> list[tuple[str, Json]]:
    """What the gateway lets in, and to which service."""
    return [
        (rule["backendRefs"][0]["name"], match)
        for one in yaml.safe_load_all((FOLDER / "base" / "routes.yaml").read_text())
        for rule in one["spec"]["rules"]
        for match in rule["matches"]
    ]


def test_every_document_of_the_base_is_valid() -> None:
    for one in written():
        if one["apiVersion"] != GATEWAY:
            kubernetes_validate.validate(one, VERSION, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_an_overlay_gives_is_valid(overlay: str) -> None:
    for one in rendered(overlay):
        if one["apiVersion"] != GATEWAY:
            kubernetes_validate.validate(one, VERSION, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_pod_runs_as_root_or_writes_to_its_image(overlay: str) -> None:
    pods = (*of_kind(overlay, "Deployment").values(), *of_kind(overlay, "Job").values())
    assert len(pods) == len(SERVICES) + 2
    for pod in (one["spec"]["template"]["spec"] for one in pods):
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_service_is_probed_and_told_before_it_ends(overlay: str) -> None:
    for name in SERVICES:
        spec = of_kind(overlay, "Deployment")[name]["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pause < spec["terminationGracePeriodSeconds"]


def test_in_production_everything_survives_the_loss_of_a_node() -> None:
    budgets, growth = (
        of_kind("production", k) for k in ("PodDisruptionBudget", "HorizontalPodAutoscaler")
    )
    for name in SERVICES:
        assert budgets[name]["spec"]["minAvailable"] == 1
        assert growth[name]["spec"]["minReplicas"] >= 2
        target = growth[name]["spec"]["scaleTargetRef"]["name"]
        assert target == name
        assert "replicas" not in of_kind("production", "Deployment")[name]["spec"]


def test_nothing_is_open_but_what_a_policy_names() -> None:
    policies = {one["metadata"]["name"]: one for one in written() if one["kind"] == "NetworkPolicy"}
    closed = policies.pop("nothing-by-default")["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert all(policy["spec"]["podSelector"] for policy in policies.values())


def test_settings_are_ones_that_services_know_and_secrets_are_files() -> None:
    (config,) = (one["data"] for one in written() if one["kind"] == "ConfigMap")
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    files = {f"{PREFIX}{name.upper()}_FILE" for name in ("nats_nkey", "mongo_url")}
    assert set(config) <= known | files
    assert files <= set(config)
    assert not re.search(r"//[^/]*:[^/]*@", str(config))


def test_the_routes_are_those_of_the_services() -> None:
    file = FOLDER / "base" / "routes.yaml"
    assert file.read_text() == gateway_routes.text(), "run `make openapi`"


def test_the_gateway_takes_every_request_to_the_one_service_that_the_edge_asks() -> None:
    for path, operations in document()["paths"].items():
        example = PARAMETER.sub("0198-x", path)
        for method in map(str.upper, operations):
            owners = [owner for owner, match in matches() if _takes(match, example, method)]
            assert owners == [_edge(example, method).replace("_", "-")], f"{method} {path}"


def test_routes_stay_within_the_limits_of_the_gateway_api() -> None:
    for one in written():
        if one["kind"] == "HTTPRoute":
            rules = one["spec"]["rules"]
            assert len(rules) <= MOST_RULES
            assert all(len(rule.get("matches", ())) <= MOST_MATCHES for rule in rules)


def _takes(match: Json, path: str, method: str) -> bool:
    wanted = match["path"]["value"]
    exact = match["path"]["type"] == "Exact"
    return match["method"] == method and (
        path == wanted if exact else re.fullmatch(wanted, path) is not None
    )


def _edge(path: str, method: str) -> str:
    """The service that the edge of one machine asks."""
    rest = path.removeprefix("/api/v1")
    return next(
        route.owner
        for route in ROUTES
        if re.fullmatch(route.pattern, rest) and (not route.methods or method in route.methods)
    )
