"""Certificates of a private authority: made once, renewed in time, told of before they end."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import REGISTRY

from campaign_events.certificates import watched
from carillon.servers import certificates
from carillon.servers.certificates import make_certificates

NAME = "carillon_certificate_expiry_timestamp_seconds"


def test_nothing_is_made_twice_and_keys_are_their_owners_only(tmp_path: Path) -> None:
    made = {file.name for file in make_certificates(tmp_path)}
    assert {"ca.crt", "ca.key", "nats.crt", "mongo.pem", "edge.key"} <= made
    assert make_certificates(tmp_path) == []
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.glob("*.key"))
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.glob("*.pem"))


def test_a_server_is_vouched_for_by_the_authority_under_its_names(tmp_path: Path) -> None:
    make_certificates(tmp_path, {"nats": ("nats.example", "10.0.0.1")})
    authority, server = (
        x509.load_pem_x509_certificate((tmp_path / name).read_bytes())
        for name in ("ca.crt", "nats.crt")
    )
    server.verify_directly_issued_by(authority)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["nats.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1"]
    assert isinstance(server.public_key(), ec.EllipticCurvePublicKey)


def test_a_certificate_that_ends_soon_or_has_another_name_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificates(tmp_path, {"nats": ("a",)})
    authority = (tmp_path / "ca.crt").read_bytes()
    assert [file.name for file in make_certificates(tmp_path, {"nats": ("b",)})] == [
        *("nats.key", "nats.crt", "nats.pem")
    ]
    monkeypatch.setattr(certificates, "RENEWED_BEFORE", certificates.SERVER_FOR)
    assert len(make_certificates(tmp_path, {"nats": ("b",)})) == 3
    assert (tmp_path / "ca.crt").read_bytes() == authority


async def test_the_end_of_a_certificate_is_told_and_an_unreadable_one_alarms(
    tmp_path: Path,
) -> None:
    make_certificates(tmp_path, {"nats": ("a",)})
    (tmp_path / "broken.crt").write_text("no certificate")
    [work] = watched(f"{tmp_path / 'nats.crt'}, {tmp_path / 'broken.crt'}").values()
    looking = asyncio.create_task(work)
    async with asyncio.timeout(5):
        while REGISTRY.get_sample_value(NAME, {"certificate": "broken"}) is None:
            await asyncio.sleep(0.01)
    looking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await looking
    assert REGISTRY.get_sample_value(NAME, {"certificate": "broken"}) == 0
    end = datetime.fromtimestamp(
        REGISTRY.get_sample_value(NAME, {"certificate": "nats"}) or 0, tz=UTC
    )
    assert timedelta(days=396) < end - datetime.now(UTC) < timedelta(days=398)


def test_without_certificates_there_is_nothing_to_look_at() -> None:
    assert watched(" , ") == {}
