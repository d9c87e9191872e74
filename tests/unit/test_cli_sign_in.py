"""One-time links: good once, for a while, and for one person."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest

from carillon.tokens.identity import Identity
from carillon.tokens.issuer import AUDIENCE, DevelopmentIssuer
from carillon.tokens.provider import HalfProviderError, Provider
from carillon.tokens.sign_in import VALID, Links

MO = Identity("mo", "Mo", "acme", ["moderator"])


@pytest.fixture
def links(tmp_path: Path) -> Links:
    return Links.of(tmp_path, DevelopmentIssuer.prepare(tmp_path / "issuer"))


def code_of(link: str) -> str:
    return link.partition("#code=")[2]


def test_a_link_becomes_a_token_of_the_person_it_was_made_for(links: Links) -> None:
    link = links.make("http://127.0.0.1:8080", MO)
    assert link.startswith("http://127.0.0.1:8080/dashboard/sign-in#code=")
    token = links.exchange(code_of(link))
    assert token is not None
    public = links.issuer.key.public_key()
    claims = jwt.decode(token, public, algorithms=["ES256"], audience=AUDIENCE)
    assert (claims["sub"], claims["name"]) == ("mo", "Mo")
    assert (claims["workspace"], claims["roles"]) == ("acme", ["moderator"])


def test_a_link_works_once_however_many_come_at_the_same_time(links: Links) -> None:
    code = code_of(links.make("http://here", MO))
    with ThreadPoolExecutor(8) as crowd:
        tokens = list(crowd.map(links.exchange, [code] * 8))
    assert sum(token is not None for token in tokens) == 1
    assert links.exchange(code) is None


def test_a_link_that_is_too_old_works_no_more_and_is_forgotten(
    links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, older = (code_of(links.make("http://here", MO)) for _ in range(2))
    late = time.time() + VALID.total_seconds() + 1
    monkeypatch.setattr(time, "time", lambda: late)
    assert links.exchange(old) is None
    links.make("http://here", MO)
    assert len(list(links.folder.iterdir())) == 1
    assert links.exchange(older) is None


def test_a_code_that_nobody_was_given_is_refused(links: Links) -> None:
    for code in ("", "x", "../token", "a" * 10_000):
        assert links.exchange(code) is None


def test_codes_are_not_written_down(links: Links) -> None:
    code = code_of(links.make("http://here", MO))
    (file,) = links.folder.iterdir()
    assert code not in file.name + file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text())["subject"] == "mo"


def test_without_a_client_this_machine_issues_the_tokens(tmp_path: Path) -> None:
    own = DevelopmentIssuer.prepare(tmp_path)
    provider = Provider.of({"CARILLON_ISSUER": "https://elsewhere"}, own)
    assert provider.sign_in == {"kind": "local"}
    assert provider.settings["CARILLON_JWKS"] == str(own.jwks_file)


def test_a_provider_is_named_as_a_whole(tmp_path: Path) -> None:
    own = DevelopmentIssuer.prepare(tmp_path)
    told = {"CARILLON_OIDC_CLIENT_ID": "c", "CARILLON_ISSUER": "https://id"}
    with pytest.raises(HalfProviderError, match="CARILLON_JWKS"):
        Provider.of(told, own)
    provider = Provider.of(told | {"CARILLON_JWKS": "https://id/jwks"}, own)
    assert provider.settings["CARILLON_ISSUER"] == "https://id"
    assert provider.sign_in == {
        "kind": "oidc",
        "authority": "https://id",
        "client_id": "c",
        "scope": "openid profile",
    }
