"""Whose tokens are believed when the issuer's key set changes."""

import json
from pathlib import Path

import pytest

from campaign_events import access
from campaign_events.access import Verifier
from campaign_events.problems import Problem
from doors import AUDIENCE, ISSUER, Issuer


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "KNOWN_FOR_S", -1.0)


async def test_a_key_that_is_withdrawn_is_believed_no_more(tmp_path: Path) -> None:
    issuer = Issuer.make(tmp_path)
    verifier = Verifier(ISSUER, AUDIENCE, str(issuer.jwks))
    token = issuer.token("w", "viewer")
    assert (await verifier.verify(token)).workspace == "w"
    issuer.jwks.write_text(json.dumps({"keys": []}))
    with pytest.raises(Problem, match="does not publish"):
        await verifier.verify(token)


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"keys": 1}', '{"keys": [{}]}'])
async def test_keys_stay_known_while_their_file_can_not_be_read(
    tmp_path: Path, content: str | None
) -> None:
    issuer = Issuer.make(tmp_path)
    verifier = Verifier(ISSUER, AUDIENCE, str(issuer.jwks))
    token = issuer.token("w", "viewer")
    await verifier.verify(token)
    if content is None:
        issuer.jwks.unlink()
    else:
        issuer.jwks.write_text(content)
    assert (await verifier.verify(token)).workspace == "w"
    with pytest.raises(Problem):
        await Verifier(ISSUER, AUDIENCE, str(issuer.jwks)).verify(token)
