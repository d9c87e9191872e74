"""Whose tokens are believed when the issuer's key set changes."""

import asyncio
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
    with pytest.raises(Problem, match="can not be read"):
        await Verifier(ISSUER, AUDIENCE, str(issuer.jwks)).verify(token)


async def test_keys_stay_known_while_an_issuer_does_not_answer(tmp_path: Path) -> None:
    issuer = Issuer.make(tmp_path)
    said = [issuer.jwks.read_bytes()]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if said:
            writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + said.pop())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
    token = issuer.token("w", "viewer")
    async with server:
        verifier = Verifier(ISSUER, AUDIENCE, url)
        for _ in range(3):
            assert (await verifier.verify(token)).workspace == "w"
        with pytest.raises(Problem) as error:
            await Verifier(ISSUER, AUDIENCE, url).verify(token)
    assert error.value.status == 503
