"""The edge: one origin in front of the services, routed by path and method (Caddy)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL

import httpx

from carillon.files import write_atomically
from carillon.servers.binaries import CADDY
from carillon.servers.dashboard import dashboard
from carillon.servers.guarding import EdgeTls, bodies, hanging_up, headers, times
from carillon.supervisor import Program

DEFAULT_PORT = 8080
READS = ("GET", "HEAD")
WRITES = ("POST", "PUT", "PATCH", "DELETE")
METHODS = (*READS, *WRITES, "OPTIONS")
PROBES = ("/livez", "/readyz", "/readyz/*", "/metrics")
# A service that is being started again is waited for this long before the caller hears of it.
WAIT_FOR_SERVICE = "1s"
# A core that takes calls but stands still counts as down. Others may think for longer: uploads.
CORE = "dispatcher"
WAIT_FOR_CORE = "5s"
# Of several processes one that can not be reached is left alone for a moment, and so is one that
# says nothing, or that it ends, when it is asked.
LEFT_ALONE = {
    "passive": {"fail_duration": "2s", "max_fails": 1},
    "active": {"uri": "/readyz/serving", "interval": "500ms", "timeout": "3s"},
}


@dataclass(frozen=True, slots=True)
class Route:
    """These requests belong to this service."""

    owner: str
    pattern: str
    methods: tuple[str, ...] = ()  # none: all
    upload: bool = False  # its answer comes when the whole file is taken in

    def matcher(self) -> dict[str, object]:
        """The route as Caddy matches it."""
        path: dict[str, object] = {"path_regexp": {"pattern": f"(?s)^/api/v1{self.pattern}$"}}
        return path | ({"method": list(self.methods)} if self.methods else {})


# The first match wins; whatever is left under /api/v1 is a view.
ROUTES = (
    Route("dispatcher", r"/campaigns/[^/]+/(messages|delivery-report\.csv)", READS),
    Route("dispatcher", r"/campaigns/[^/]+/messages", ("POST",)),
    Route("dispatcher", r"/suppressions", ("PUT",), upload=True),
    Route("dialler", r"/campaigns/[^/]+/(calls(/.*)?|attempt-report\.csv)", READS),
    Route("dispatcher", r"/suppressions(/.*)?"),
    Route("dispatcher", r"/messages/preview"),
    Route("dispatcher", r"/links"),
    Route("moderation", r"/(moderation|senders)(/.*)?"),
    Route("campaign", r"/campaigns(/.*)?", WRITES),
    Route("campaign", r"/settings"),
    Route("read_model", r"/.*"),
)

type Json = dict[str, object]

_PROBLEM_TYPE = {"Content-Type": ["application/problem+json"]}


@dataclass(frozen=True, slots=True)
class Edge:
    """Caddy in front of the services: of one data folder, or of a deployment."""

    folder: Path
    port: int
    upstreams: Mapping[str, str]  # service → host:port, of several processes by commas
    pages: Path | None
    sign_in: Mapping[str, str] = field(default_factory=lambda: {"kind": "local"})
    sign_in_at: str | None = None  # where one-time links are exchanged
    host: str = "127.0.0.1"  # where it listens
    tls: EdgeTls | None = None
    behind_tls: bool = False  # another one in front of it speaks TLS with people

    @property
    def url(self) -> str:
        """The one address that people and backends use."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    def program(self, log: Path, environment: Mapping[str, str]) -> Program:
        """What the supervisor runs."""
        config = self.folder / "caddy.json"
        write_atomically(config, json.dumps(self.config(), indent=2))
        return Program(
            name="edge",
            command=(str(CADDY.runnable()), "run", "--config", str(config)),
            url=self.url,
            log=log,
            folder=self.folder,
            environment={**environment, "XDG_DATA_HOME": str(self.folder)},
            ready=self.answers,
            when_launcher_dies=SIGKILL,
        )

    async def answers(self) -> bool:
        """Whether Caddy serves."""
        try:
            # Whether it is the right one is for those to find out who have something to tell it.
            async with httpx.AsyncClient(timeout=2, verify=False) as client:  # noqa: S501
                answer = await client.get(f"{self.url}/livez")
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.NOT_FOUND

    def config(self) -> Json:
        """Caddy's configuration: no admin door, nothing buffered; plain http unless told of TLS."""
        tls = self.behind_tls or self.tls is not None
        guard = headers(self.sign_in.get("authority"), tls=tls)
        server: Json = {
            "listen": [f"{self.host}:{self.port}"],
            "protocols": ["h1", "h2c"] if self.tls is None else ["h1", "h2"],
            "automatic_https": {"disable": True},
            # Else a service that refuses an upload before its end is often cut off in mid-answer.
            "enable_full_duplex": True,
            **times(),
            "routes": [
                *guard,
                *hanging_up(),
                _unheard_of(),
                _hidden_probes(),
                *bodies(),
                *self._services(),
                *dashboard(self.pages, self.sign_in, self.sign_in_at),
                _nothing(),
            ],
            "errors": {"routes": [*guard, *hanging_up(), *_errors()]},
        }
        apps: Json = {"http": {"grace_period": "2s", "servers": {"edge": server}}}
        if self.tls is not None:
            server["tls_connection_policies"] = [self.tls.policy()]
            apps["tls"] = self.tls.app()
        return {
            "admin": {"disabled": True, "config": {"persist": False}},
            "logging": {"logs": {"default": {"level": "WARN"}}},
            "storage": {"module": "file_system", "root": str(self.folder / "storage")},
            "apps": apps,
        }

    def _services(self) -> list[Json]:
        return [
            {
                "match": [route.matcher()],
                "handle": [self._proxy(route)],
                "terminal": True,
            }
            for route in ROUTES
            if route.owner in self.upstreams
        ]

    def _proxy(self, route: Route) -> Json:
        places = self.upstreams[route.owner].split(",")
        hurried = route.owner == CORE and not route.upload
        patience = {"response_header_timeout": WAIT_FOR_CORE} if hurried else {}
        return {
            "handler": "reverse_proxy",
            "upstreams": [{"dial": place} for place in places],
            "flush_interval": -1,  # server-sent events leave at once
            "load_balancing": {"try_duration": WAIT_FOR_SERVICE, "try_interval": "50ms"},
            **({"health_checks": LEFT_ALONE} if len(places) > 1 else {}),
            "transport": {"protocol": "http", "dial_timeout": "1s", **patience},
        }


def _hidden_probes() -> Json:
    """Probes and metrics are for the machine's operator, not for the origin's users."""
    return {
        "match": [{"path": list(PROBES)}],
        **_nothing(),
    }


def _unheard_of() -> Json:
    """Methods that no service knows are answered here: servers drop them without a word."""
    return {
        "match": [{"not": [{"method": list(METHODS)}]}],
        "handle": [
            _problem(405, "invalid", "Method Not Allowed", "There is no such method.")
            | {"headers": _PROBLEM_TYPE | {"Allow": [", ".join(METHODS)]}}
        ],
        "terminal": True,
    }


def _nothing() -> Json:
    """What nobody else has answered does not exist; without this, Caddy answers an empty 200."""
    return {
        "handle": [_problem(404, "not_found", "Not Found", "There is nothing here.")],
        "terminal": True,
    }


def _errors() -> list[Json]:
    unreachable = "{http.error.status_code} in [502, 503, 504]"
    core = "The dispatcher cannot be reached; try again in a moment."
    other = "This part of Carillon cannot be reached; try again in a moment."
    of_core = [route.matcher() | {"expression": unreachable} for route in _core_routes()]
    return [
        {
            "match": of_core,
            "handle": [_problem(503, "core_unavailable", "Service Unavailable", core)],
            "terminal": True,
        },
        {
            "match": [{"expression": unreachable}],
            "handle": [_problem(503, "unavailable", "Service Unavailable", other)],
            "terminal": True,
        },
        {
            "match": [{"expression": "{http.error.status_code} == 404"}],
            **_nothing(),
        },
        {
            "match": [{"expression": "{http.error.status_code} == 413"}],
            "handle": [_problem(413, "too_large", "Content Too Large", "The body is too large.")],
            "terminal": True,
        },
    ]


def _core_routes() -> list[Route]:
    return [route for route in ROUTES if route.owner == CORE]


def _problem(status: int, code: str, title: str, detail: str) -> Json:
    body = {
        "type": f"urn:carillon:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return {
        "handler": "static_response",
        "status_code": status,
        "headers": {
            **_PROBLEM_TYPE,
            **({"Retry-After": ["1"]} if status == httpx.codes.SERVICE_UNAVAILABLE else {}),
        },
        "body": json.dumps(body),
    }
