"""Who may say, hear and read what on NATS: one table, for this machine and for `deploy/nats`.

What is not named here is refused by the server: changing streams, removing entries, listening to
somebody else's answers, working on somebody else's place in a stream.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from campaign_events.nats_login import INBOX
from campaign_events.topology import LEASES, READERS

ANSWERED_WITHIN = "10m"
"""How long after a question its answer may be sent: erasing a person takes its time."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What one service does; the rest is what all of them do."""

    says: tuple[str, ...]
    """Its own facts in the log: one owner per subject."""
    reads: tuple[str, ...]
    """The streams that it follows, and in which it looks things up."""
    asks: tuple[str, ...] = ()
    """Questions to others, and what its own processes tell each other."""
    hears: tuple[str, ...] = ()
    """Questions that it answers, and what its own processes tell each other."""


RIGHTS: Mapping[str, Rights] = {
    "campaign": Rights(
        says=("campaign.>",),
        reads=("CAMPAIGNS", "MESSAGES", "CALLS"),
        asks=("core.health", "core.health.voice"),
    ),
    "moderation": Rights(says=("moderation.>", "sender.>"), reads=("CAMPAIGNS",)),
    "dispatcher": Rights(
        says=("message.>", "suppression.>"),
        reads=("CAMPAIGNS", "MESSAGES"),
        asks=("core.link.*",),
        hears=("core.health", "core.link.*"),
    ),
    "dialler": Rights(
        says=("call.>",),
        reads=("CAMPAIGNS", "CALLS"),
        asks=("core.dialling",),
        hears=("core.health.voice", "core.dialling", "dialler.live"),
    ),
    "read_model": Rights(
        says=(),
        reads=("CAMPAIGNS", "MESSAGES", "CALLS"),
        asks=("core.health", "dialler.live", "ops.*.*", "view.*"),
        hears=("audit.state", "view.*"),
    ),
}


def permissions(service: str) -> dict[str, object]:
    """Return what the server lets this service do, as its configuration says it."""
    rights = RIGHTS[service]
    return {
        "publish": {
            "allow": [
                *rights.says,
                *rights.asks,
                *(f"lease.{service}.>", f"$JS.API.DIRECT.GET.{LEASES}.lease.{service}.>"),
                *(f"core.shares.{service}", "audit.state", "$JS.API.INFO"),
                *_each(rights.reads, _reading),
            ],
            "deny": [*_each(rights.reads, lambda stream: _places_of_others(service, stream))],
        },
        "subscribe": {
            "allow": [
                f"{INBOX}.{service}.>",
                f"ops.{service}.*",
                f"core.shares.{service}",
                "ops.every.forget",
                "campaign.*.settings.settings_changed",
                *rights.hears,
            ]
        },
        # Whoever is asked may answer that question, once, wherever the answer is wanted.
        "allow_responses": {"max": 1, "expires": ANSWERED_WITHIN},
    }


def _each(streams: Iterable[str], of: Callable[[str], Iterable[str]]) -> Iterable[str]:
    return (subject for stream in streams for subject in of(stream))


def _reading(stream: str) -> Iterable[str]:
    """Look up entries, and follow a stream by a consumer that lasts as long as its reader."""
    yield from (f"$JS.API.STREAM.{what}.{stream}" for what in ("INFO", "MSG.GET"))
    yield from (f"$JS.API.DIRECT.GET.{stream}", f"$JS.API.DIRECT.GET.{stream}.>")
    yield from (f"$JS.API.CONSUMER.{what}.{stream}.*" for what in ("INFO", "DELETE", "MSG.NEXT"))
    yield f"$JS.API.CONSUMER.CREATE.{stream}.>"
    yield from _acknowledging(stream, "*")


def _places_of_others(service: str, stream: str) -> Iterable[str]:
    """Durable consumers are made by the deployment; each is used by the service that it is for."""
    for reader in READERS:
        if reader.stream != stream:
            continue
        name = f"{stream}.{reader.durable}"
        yield from (f"$JS.API.CONSUMER.CREATE.{name}", f"$JS.API.CONSUMER.CREATE.{name}.>")
        yield f"$JS.API.CONSUMER.DELETE.{name}"
        if not reader.durable.startswith(f"{service}-"):
            yield f"$JS.API.CONSUMER.MSG.NEXT.{name}"
            yield from _acknowledging(stream, reader.durable)


def _acknowledging(stream: str, consumer: str) -> Iterable[str]:
    """Acknowledge a delivery; the server's two ways to write the subject (ADR-15)."""
    yield f"$JS.ACK.{stream}.{consumer}.>"
    yield f"$JS.ACK.*.*.{stream}.{consumer}.>"
