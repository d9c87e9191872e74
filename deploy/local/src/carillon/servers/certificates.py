"""A private authority, and certificates of the servers that it vouches for.

For deployments that have no authority of their own. Clients are given `ca.crt` and nothing else;
`ca.key` is needed to renew, so keep it somewhere else.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from carillon.files import OWNER_ONLY, write_atomically

SERVERS: Mapping[str, tuple[str, ...]] = {
    name: (name, "localhost", "127.0.0.1") for name in ("nats", "mongo", "edge")
}
"""The servers of `deploy/compose.yml`, and the names by which they are called."""
AUTHORITY_FOR = timedelta(days=3650)
SERVER_FOR = timedelta(days=397)
RENEWED_BEFORE = timedelta(days=30)
A_CLOCK_BEHIND = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_certificates(folder: Path, servers: Mapping[str, Iterable[str]] = SERVERS) -> list[Path]:
    """Make the authority once, and each server's files anew when they end soon or are renamed.

    `NAME.crt` and `NAME.key`, and both in one `NAME.pem`, which mongod wants. Returns what is new.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made: list[Path] = []
    if not (folder / "ca.key").exists():
        _write(folder / "ca", *_new_authority(), made)
    authority = Authority(
        x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()),
        _private((folder / "ca.key").read_bytes()),
    )
    for server, names in servers.items():
        if not _is_good(folder / f"{server}.crt", authority, wanted := tuple(names)):
            _write(folder / server, *_new_server(authority, server, wanted), made)
            both = folder / f"{server}.pem"
            parts = (folder / f"{server}.crt").read_text() + (folder / f"{server}.key").read_text()
            write_atomically(both, parts, mode=OWNER_ONLY)
            made.append(both)
    return made


def _private(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is not one that this program has made")
    return key


def _is_good(file: Path, authority: Authority, names: tuple[str, ...]) -> bool:
    """Whether this certificate is for these names, from this authority, and lasts."""
    if not file.exists():
        return False
    found = x509.load_pem_x509_certificate(file.read_bytes())
    lasts = found.not_valid_after_utc - datetime.now(UTC) > RENEWED_BEFORE
    told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return lasts and told == _called(names) and found.issuer == authority.certificate.subject


def _called(names: Iterable[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general(name) for name in names])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _new_authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Carillon private authority")])
    begun = _begun(name, name, key, AUTHORITY_FOR)
    begun = begun.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    begun = begun.add_extension(_usage(signs_others=True), critical=True)
    return begun.sign(key, hashes.SHA256()), key


def _new_server(
    authority: Authority, server: str, names: tuple[str, ...]
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, server)])
    # Members of a cluster call each other, so a server is a client too.
    roles = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    issuer = authority.certificate
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    begun = (
        _begun(subject, issuer.subject, key, SERVER_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_others=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(roles), critical=False)
        .add_extension(_called(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )
    return begun.sign(authority.key, hashes.SHA256()), key


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - A_CLOCK_BEHIND)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_others,
        key_cert_sign=signs_others,
        crl_sign=signs_others,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    stem: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, made: list[Path]
) -> None:
    """Write both halves; the key first, so that a certificate is never without it."""
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    for suffix, pem, mode in ((".key", secret, OWNER_ONLY), (".crt", public, 0o644)):
        file = stem.with_name(f"{stem.name}{suffix}")
        write_atomically(file, pem.decode(), mode=mode)
        made.append(file)
