"""What the edge demands of every request and says with every answer: sizes, times, headers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from campaign_events import browsing
from campaign_events.sizes import MAX_BODY
from carillon.errors import PlainError

type Json = dict[str, object]

UPLOADS = ("/api/v1/campaigns/*/contacts", "/api/v1/suppressions")
LARGEST_UPLOAD = 1025 * 1024**2
"""A little over what services take, which tell it better."""
CERTIFICATE = "CARILLON_EDGE_CERTIFICATE"
KEY = "CARILLON_EDGE_KEY"
HOSTS = "CARILLON_EDGE_HOSTS"
GIVEN = "given"
HEAD_WITHIN = "10s"
IDLE_FOR = "2m"
LONGEST_HEAD = 32 * 1024
REFUSED_FOR_BODY = (408, 413, 415)
REFUSED_UNREAD = (401, 403, 404, 405, 429, 502, 503, 504)
"""What may be answered before a body has been read; of uploads services refuse anything early."""
TWO_YEARS = "max-age=63072000; includeSubDomains"


@dataclass(frozen=True, slots=True)
class EdgeTls:
    """Either certificates that somebody gives, or hosts that Caddy gets certificates for."""

    certificate: str | None = None
    key: str | None = None
    hosts: Sequence[str] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "EdgeTls | None":
        """What a deployment's environment asks for: a pair of files, hosts, or no TLS.

        Raises:
            PlainError: a certificate without its key, or the other way round.
        """
        certificate, key = environment.get(CERTIFICATE), environment.get(KEY)
        hosts = tuple(
            host.strip() for host in environment.get(HOSTS, "").split(",") if host.strip()
        )
        if bool(certificate) != bool(key):
            raise PlainError(f"The edge needs both or none of {CERTIFICATE} and {KEY}.")
        if not certificate and not hosts:
            return None
        return cls(certificate or None, key or None, hosts)

    def app(self) -> Json:
        """Caddy's TLS app."""
        if self.certificate is None:
            return {"certificates": {"automate": list(self.hosts)}}
        pair: Json = {"certificate": self.certificate, "key": self.key, "tags": [GIVEN]}
        return {"certificates": {"load_files": [pair]}}

    def policy(self) -> Json:
        """Which certificate a caller is shown: a given one also when they name no host.

        They do not when they know an address only, and in a container it is not the one they know.
        """
        return {} if self.certificate is None else {"certificate_selection": {"any_tag": [GIVEN]}}


def times() -> Json:
    """The server's patience with a request's head; services have theirs with its body."""
    return {
        "read_header_timeout": HEAD_WITHIN,
        "idle_timeout": IDLE_FOR,
        "max_header_bytes": LONGEST_HEAD,
    }


def bodies() -> list[Json]:
    """Routes that bound what a request may bring; the request goes on behind them."""
    uploads: Json = {"method": ["PUT"], "path": list(UPLOADS)}
    return [_limited({"not": [uploads]}, MAX_BODY), _limited(uploads, LARGEST_UPLOAD)]


def _limited(match: Json, size: int) -> Json:
    return {"match": [match], "handle": [{"handler": "request_body", "max_size": size}]}


def headers(authority: str | None, *, tls: bool) -> list[Json]:
    """Routes that put what browsers must know on every answer, whoever gives it."""
    every = {
        "X-Content-Type-Options": ["nosniff"],
        "X-Frame-Options": ["DENY"],
        "Referrer-Policy": ["no-referrer"],
        "Permissions-Policy": ["camera=(), geolocation=(), microphone=(), payment=(), usb=()"],
        "Cross-Origin-Opener-Policy": ["same-origin"],
        "Cross-Origin-Resource-Policy": ["same-origin"],
        **({"Strict-Transport-Security": [TWO_YEARS]} if tls else {}),
    }
    api = {"path": ["/api/*"]}
    return [
        _said({}, every),
        _said(api, {name: [value] for name, value in browsing.HEADERS.items()}),
        _said({"not": [api]}, {"Content-Security-Policy": [_pages(authority)]}),
    ]


def hanging_up() -> list[Json]:
    """Routes that end the connection of who is refused before their body has been read.

    Where an answer overtakes a body, Caddy (2.11, duplex) gives up reading in the middle, and takes
    whoever comes next on that connection for gone: it answers 499 to all they ask. Of a body that
    is long it gives up the rest, and closes without having said so.
    """
    return [
        _hung_up({}, REFUSED_FOR_BODY),
        _hung_up({"method": ["POST", "PUT", "PATCH"]}, REFUSED_UNREAD),
        _hung_up({"method": ["PUT"], "path": list(UPLOADS)}, (4, 5)),
    ]


def _hung_up(match: Json, statuses: Sequence[int]) -> Json:
    response = {
        "require": {"status_code": list(statuses)},
        "set": {"Connection": ["close"]},
        "deferred": True,
    }
    match |= {"protocol": "http/1.1"}  # others have a stream for each request
    return {"match": [match], "handle": [{"handler": "headers", "response": response}]}


def _said(match: Mapping[str, object], these: Mapping[str, Sequence[str]]) -> Json:
    response = {"set": these, "delete": ["Server", "Via"], "deferred": True}
    handle = [{"handler": "headers", "response": response}]
    return {"handle": handle} | ({"match": [match]} if match else {})


def _pages(authority: str | None) -> str:
    """What a page may do: run its own files, and talk to this origin and the provider's."""
    provider = ""
    if authority is not None:
        parts = urlsplit(authority)
        provider = f" {parts.scheme}://{parts.netloc}"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",  # components place themselves by style elements
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": f"'self'{provider}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{what} {who}" for what, who in policy.items())
