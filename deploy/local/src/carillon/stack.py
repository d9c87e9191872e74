"""The whole platform on one machine, started in order and ended in the reverse order.

async with running_stack(Options(data=folder, port=0), narrate) as stack:
    print(stack.url)
"""

import asyncio
import fcntl
import os
import socket
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from carillon.backup.unfinished import refuse_unfinished
from carillon.errors import PlainError
from carillon.files import OWNER_ONLY, write_atomically
from carillon.ops.migrate import NOTHING_TO_DO, in_use, migrate
from carillon.servers.credentials import ADMIN, Credentials, prepare_credentials
from carillon.servers.edge import DEFAULT_PORT, Edge
from carillon.servers.foreign_server import ForeignServer
from carillon.servers.mongo_server import MongoServer, ensure_audit
from carillon.servers.nats_server import NatsServer, ensure_topology
from carillon.servers.nodes import mongo_of, nats_of, nodes_of
from carillon.servers.ports import Ports, is_free
from carillon.services import (
    CARRIER,
    PHONES,
    PHONES_PROCESS,
    SERVICES,
    Service,
    Simulator,
    bundled_carrier_config,
    bundled_telephony,
    package_folder,
    processes_of,
    simulated_link,
    simulator_login,
)
from carillon.stack_file import Place, StackFile, remove_stack_file
from carillon.supervisor import Program, Supervised, together
from carillon.telephony_file import needs_simulator, with_port
from carillon.tokens.identity import DEMO_WORKSPACE, Identity
from carillon.tokens.issuer import DevelopmentIssuer
from carillon.tokens.provider import Provider
from carillon.tokens.sign_in import Links, exchanging

CALLING = "dialler"  # the service that needs a phone network
PAGES = "read_model"  # the service whose package holds the dashboard
ADMINISTRATOR = Identity("dev-admin", "Local Admin", DEMO_WORKSPACE, ("admin",))

HEARD_OF_S = 1.5  # the edge asks twice a second which of several processes go on

type Narrate = Callable[[str], None]


class AlreadyRunningError(PlainError):
    """Another launcher works on the same data folder."""


class PortTakenError(PlainError):
    """The port that was asked for belongs to another program."""


class BadSettingsFileError(PlainError):
    """A file named on the command line cannot be used."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a start is told."""

    data: Path
    port: int | None = None  # 0: any free one; None: the usual one, or a free one
    links: Path | None = None
    telephony: Path | None = None
    carrier: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    services: tuple[str, ...] = SERVICES  # a test may do with fewer
    nodes: int | None = None  # of NATS and of MongoDB; None: as many as at the first start
    processes: Mapping[str, int] = field(default_factory=dict)  # of each service; else one


@dataclass(slots=True)
class Stack:
    """A started platform; its processes are kept alive until it is left."""

    options: Options
    narrate: Narrate
    issuer: DevelopmentIssuer
    provider: Provider
    credentials: Credentials
    ports: Ports
    edge_port: int
    nats: NatsServer | ForeignServer
    mongo: MongoServer | ForeignServer
    url: str = ""  # the edge's address
    links: Path = Path()
    telephony: Path = Path()
    running: dict[str, Supervised] = field(default_factory=dict)
    told: bool = False  # whether stack.json has been written

    @property
    def data(self) -> Path:
        """The folder that holds everything this stack keeps."""
        return self.options.data

    @property
    def sign_ins(self) -> Links:
        """The links with which people of this machine sign in."""
        return Links.of(self.data, self.issuer)

    def file(self) -> StackFile:
        """What stack.json says at this moment."""
        foreign = {
            name: Place(None, server.public_url)
            for name, server in (("nats", self.nats), ("mongo", self.mongo))
            if isinstance(server, ForeignServer)
        }
        ours = {name: Place(one.pid, one.program.url) for name, one in self.running.items()}
        return StackFile(
            url=self.url,
            nats_url=self.nats.url(),
            mongo_url=self.mongo.url(ADMIN),
            services=foreign | ours,
            token_file=str(self.data / "token"),
        )

    def keep_true(self, name: str, what: str) -> None:
        """Tell the reader what became of a process, and correct stack.json."""
        self.narrate(f"{name} {what}")
        if self.told:
            self.file().write(self.data)


@asynccontextmanager
async def running_stack(options: Options, narrate: Narrate) -> AsyncIterator[Stack]:
    """Start everything; inside, the whole platform is ready and stack.json is true.

    Raises:
        AlreadyRunningError: another launcher works on this folder.
        PortTakenError: the wanted port is not free.
        BadSettingsFileError: a file given in the options cannot be used.
        NotReadyError: a process did not become ready.
        MissingBinaryError: a server's program is not on this machine.
    """
    check_settings_files(options)
    options = replace(options, data=options.data.absolute())
    options.data.mkdir(parents=True, exist_ok=True)
    with only_launcher(options.data):
        remove_stack_file(options.data)
        async with AsyncExitStack() as ending:
            stack = prepared(options, narrate)
            await start_servers(stack, ending)
            await _start_carillon(stack, ending)
            stack.ports.save()
            ending.callback(remove_stack_file, options.data)
            stack.told = True
            stack.file().write(options.data)
            try:
                yield stack
            finally:
                stack.told = False
                narrate("ending everything")


@contextmanager
def only_launcher(data: Path) -> Iterator[None]:
    """Keep other launchers away from a folder, or raise AlreadyRunningError."""
    with (data / "launcher.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                f"A platform already runs on {data}; its places are in {data / 'stack.json'}. "
                "End it first (Ctrl-C, or SIGTERM to its `carillon up`), or use another --data."
            ) from error
        yield


def check_settings_files(options: Options) -> None:
    """Read the files that the command line names before anything is started.

    Raises:
        BadSettingsFileError: one is missing or is not TOML, or what it says makes no sense.
    """
    for file in (options.links, options.telephony, options.carrier):
        if file is None:
            continue
        try:
            tomllib.loads(file.read_text())
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise BadSettingsFileError(f"{file} cannot be used: {error}") from error
    if options.links is not None:
        _check("links", "dispatcher.links", options.links)
    if options.telephony is not None:
        _check("telephony", "dialler.telephony", options.telephony)


def _check(what: str, reader: str, file: Path) -> None:
    """Let the service look at its file: it knows every field, and tells each mistake's line."""
    command = (sys.executable, "-m", reader, str(file))
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    if checked.returncode:
        raise BadSettingsFileError(f"the {what} cannot be used:\n{checked.stderr.strip()}")


def prepared(options: Options, narrate: Narrate) -> Stack:
    """Make keys, passwords and ports, and tell where the servers are; nothing is started."""
    data = options.data
    refuse_unfinished(data)
    issuer = DevelopmentIssuer.prepare(data / "issuer")
    provider = Provider.of(options.environment, issuer)
    token = issuer.mint(ADMINISTRATOR)
    write_atomically(data / "token", f"{token}\n", mode=OWNER_ONLY)
    credentials = prepare_credentials(data / "credentials", (ADMIN, *SERVICES))
    ports = Ports(data / "ports.json")
    edge_port = _edge_port(options, ports)
    nodes = nodes_of(data, options.nodes)
    nats = nats_of(data, options.environment, ports, credentials, nodes)
    mongo = mongo_of(data, options.environment, ports, credentials, nodes)
    return Stack(options, narrate, issuer, provider, credentials, ports, edge_port, nats, mongo)


async def start_servers(stack: Stack, ending: AsyncExitStack) -> None:
    """Start nats-server and mongod, and make streams and users, as far as they are ours."""
    environment = _plain_environment(stack.options)
    programs: list[Program] = []
    if isinstance(stack.nats, ForeignServer):
        await ensure_topology(stack.nats.address)
    else:
        programs += [
            one.program(_log(stack, one.name), environment) for one in stack.nats.members()
        ]
    if isinstance(stack.mongo, MongoServer):
        programs += [
            one.program(_log(stack, one.name), environment) for one in stack.mongo.members()
        ]
    else:
        await ensure_audit(stack.mongo.address)
    await _start_together(stack, ending, programs)


async def _start_carillon(stack: Stack, ending: AsyncExitStack) -> None:
    simulators = [_carrier(stack), *_phones(stack)]
    await together(_migrate(stack), _start_together(stack, ending, simulators))
    services = processes_of(stack.options.services, stack.options.processes, stack.ports)
    programs = [
        one.program(_log(stack, one.instance), stack.data, _settings_of(stack, one))
        for one in services
    ]
    await _start_together(stack, ending, programs)
    door = stack.ports.take("sign_in")
    await ending.enter_async_context(exchanging(stack.sign_ins, door))
    edge = Edge(
        folder=stack.data / "edge",
        port=stack.edge_port,
        upstreams={
            name: ",".join(f"127.0.0.1:{one.port}" for one in services if one.name == name)
            for name in stack.options.services
        },
        pages=package_folder(PAGES) / "static" if PAGES in stack.options.services else None,
        sign_in=stack.provider.sign_in,
        sign_in_at=f"127.0.0.1:{door}",
    )
    stack.url = edge.url
    program = edge.program(_log(stack, "edge"), _plain_environment(stack.options))
    await _start_together(stack, ending, [program])


async def _migrate(stack: Stack) -> None:
    """Bring the databases to what the services need, before these look at them."""
    environment = _plain_environment(stack.options)

    def say(line: str) -> None:
        if not line.endswith(NOTHING_TO_DO):
            stack.narrate(line)

    services = await in_use(stack.options.services, stack.mongo.url(ADMIN))
    await migrate(services, stack.mongo.url, environment, say)


def _carrier(stack: Stack) -> Program:
    carrier = Simulator(
        name="carrier",
        module=CARRIER,
        scheme="smpp",
        port=stack.ports.take("carrier"),
        config=(stack.options.carrier or bundled_carrier_config()).resolve(),
        ledger=stack.data / "smsc" / "ledger.jsonl",
    )
    if stack.options.links is not None:
        stack.links = stack.options.links.resolve()
    else:
        stack.links = stack.data / "links.toml"
        login = simulator_login(carrier.config)
        write_atomically(stack.links, simulated_link(carrier.port, *login), mode=OWNER_ONLY)
    environment = _plain_environment(stack.options)
    return carrier.program(_log(stack, "carrier"), stack.data, environment)


def _phones(stack: Stack) -> list[Program]:
    """The simulated phone network, when somebody calls and nobody says where one is."""
    if CALLING not in stack.options.services:
        return []
    wanted = (stack.options.telephony or bundled_telephony()).resolve()
    if stack.options.telephony is not None and not needs_simulator(wanted):
        stack.telephony = wanted
        return []
    stack.telephony = stack.data / "telephony.toml"
    phones = Simulator(
        name=PHONES_PROCESS,
        module=PHONES,
        scheme="tcp",
        port=stack.ports.take("telephony"),
        config=stack.telephony,
        ledger=stack.data / "phones" / "ledger.jsonl",
    )
    write_atomically(stack.telephony, with_port(wanted, phones.port), mode=OWNER_ONLY)
    environment = _plain_environment(stack.options)
    return [phones.program(_log(stack, "telephony"), stack.data, environment)]


async def _start_together(
    stack: Stack, ending: AsyncExitStack, programs: Iterable[Program]
) -> None:
    """Start these at the same time; at the end they are ended at the same time too."""
    batch = [_supervised(stack, program) for program in programs]
    ending.push_async_callback(_stop_together, batch)
    await together(*(_start(stack, one) for one in batch))


def _supervised(stack: Stack, program: Program) -> Supervised:
    def changed(what: str) -> None:
        stack.keep_true(program.name, what)

    stack.running[program.name] = one = Supervised(program, changed)
    return one


async def _start(stack: Stack, one: Supervised) -> None:
    began = asyncio.get_running_loop().time()
    await one.start()
    took = asyncio.get_running_loop().time() - began
    stack.narrate(f"{one.program.name} ready after {took:.1f} s at {one.program.url}")


async def _stop_together(batch: Iterable[Supervised]) -> None:
    await asyncio.gather(*(one.stop() for one in batch))


def _edge_port(options: Options, ports: Ports) -> int:
    if options.port is None:
        return DEFAULT_PORT if is_free(DEFAULT_PORT) else ports.take("edge")
    if options.port == 0:
        return ports.take("edge")
    if not is_free(options.port):
        raise PortTakenError(
            f"Port {options.port} on 127.0.0.1 belongs to another program: choose another one "
            "with --port, or --port 0 for any free one."
        )
    return options.port


def _log(stack: Stack, name: str) -> Path:
    return stack.data / "logs" / f"{name}.log"


def _plain_environment(options: Options) -> dict[str, str]:
    """The reader's environment without Carillon's own settings."""
    return {
        name: value
        for name, value in options.environment.items()
        if not name.startswith("CARILLON_")
    }


def _settings_of(stack: Stack, service: Service) -> dict[str, str]:
    """What a process is told; it logs in as its service where the servers are ours."""
    settings = {
        **stack.nats.login(service.name),
        "CARILLON_MONGO_URL": stack.mongo.url(service.name),
        "CARILLON_INSTANCE": f"{service.instance} of {stack.data} at {socket.gethostname()}",
        **stack.provider.settings,
        "CARILLON_SECRET_FILE": str(stack.credentials.secret_file),
        "CARILLON_LINKS": str(stack.links),
        "CARILLON_TELEPHONY": str(stack.telephony),
        "CARILLON_AUDIT_FALLBACK": str(stack.data / "audit" / f"{service.instance}.jsonl"),
    }
    several = stack.options.processes.get(service.name, 1) > 1
    drain = {"CARILLON_DRAIN_S": str(HEARD_OF_S)} if several else {}
    return drain | dict(stack.options.environment) | settings
