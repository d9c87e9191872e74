"""The images of `deploy/`: the official ones beside ours, or all made here without a registry."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from carillon.servers.binaries import CADDY, MONGO, NATS
from containers.engine import Engine, EngineError

ROOT = Path(__file__).parents[2]
NAMES = "localhost/carillon"
OURS = f"{NAMES}/carillon:dev"
OFFICIAL_PYTHON = "python:3.12-slim-bookworm"
SERVERS = (
    "python",
    "nats",
    "caddy",
    "mongo",
    "prometheus",
)  # as deploy/Dockerfile.servers has them
PULL_WITHIN_S = 120
# What nobody needs who runs services.
LEFT_OUT = ("test", "idlelib", "tkinter", "turtledemo", "lib2to3", "site-packages", "__pycache__")

type Say = Callable[[str], None]


class NoImageError(Exception):
    """An image cannot be made here; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Images:
    """The names under which compose and the tests find the images."""

    python: str
    settings: Mapping[str, str]  # variables of deploy/compose.yml


def official() -> Images:
    """The names that deploy/compose.yml has without being told."""
    return Images(OFFICIAL_PYTHON, {"CARILLON_IMAGE": OURS})


def local() -> Images:
    """The names of what is made here."""
    variables = {f"{name.upper()}_IMAGE": tag(name) for name in SERVERS if name != "python"}
    return Images(tag("python"), {"CARILLON_IMAGE": OURS, **variables})


def tag(server: str) -> str:
    """The name of a stand-in for an official image."""
    return f"{NAMES}/{server}:local"


def registry_is_reached(engine: Engine) -> bool:
    """Whether official images can be had."""
    if engine.has(OFFICIAL_PYTHON):
        return True
    try:
        engine.run("pull", "--quiet", OFFICIAL_PYTHON, within=PULL_WITHIN_S)
    except EngineError:
        return False
    return True


def build_ours(engine: Engine, python: str, say: Say) -> None:
    """Build the image of all services.

    Raises:
        EngineError: it could not be built.
    """
    say(f"{OURS} from {python}")
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    _build(
        engine,
        *("--file", str(ROOT / "deploy/Dockerfile"), "--tag", OURS),
        *("--build-arg", f"PYTHON_IMAGE={python}"),
        *("--build-arg", f"REVISION={commit.stdout.strip() or 'unknown'}"),
        str(ROOT),
    )


def build_servers(engine: Engine, wanted: tuple[str, ...], say: Say) -> None:
    """Build stand-ins for official images that are not there yet.

    Raises:
        NoImageError: a program that belongs into one is not on this machine.
        EngineError: it could not be built.
    """
    missing = [name for name in wanted if not engine.has(tag(name))]
    if not missing:
        return
    _debian(engine, say)
    with tempfile.TemporaryDirectory(prefix="carillon-images-") as context:
        _lay_down(Path(context), missing)
        for name in missing:
            say(tag(name))
            _build(
                engine,
                *("--file", str(ROOT / "deploy/Dockerfile.servers"), "--target", name),
                *("--tag", tag(name), "--build-arg", f"DEBIAN_IMAGE={tag('debian')}"),
                context,
            )


def _build(engine: Engine, *arguments: str) -> None:
    # The host's network: where only package registries are reached, it knows the way to them.
    engine.run("build", "--quiet", "--network", "host", *arguments)


def _debian(engine: Engine, say: Say) -> None:
    """A plain Debian 12, made by its own tool from its packages."""
    if engine.has(tag("debian")):
        return
    program = shutil.which("debootstrap") or "/usr/sbin/debootstrap"
    if not Path(program).exists():
        raise NoImageError("No registry is reached, and debootstrap is not installed.")
    say(f"{tag('debian')} (debootstrap, some minutes)")
    with tempfile.TemporaryDirectory(prefix="carillon-debian-") as folder:
        root = Path(folder) / "root"
        made = subprocess.run(
            [program, "--variant=minbase", "bookworm", str(root)],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise NoImageError(f"debootstrap: {made.stdout.strip().splitlines()[-1:]}")
        for waste in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"):
            shutil.rmtree(root / waste, ignore_errors=True)
        archive = Path(folder) / "root.tar"
        subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
        engine.run("import", str(archive), tag("debian"))


def _lay_down(context: Path, wanted: list[str]) -> None:
    """Put the programs where Dockerfile.servers looks for them; those not wanted are empty."""
    prometheus = shutil.which("prometheus")
    if "prometheus" in wanted and prometheus is None:
        raise NoImageError("prometheus is not installed (Debian: prometheus).")
    programs: dict[str, tuple[str, Callable[[], Path]]] = {
        "nats-server": ("nats", NATS.runnable),
        "caddy": ("caddy", CADDY.runnable),
        "mongod": ("mongo", MONGO.runnable),
        "prometheus": ("prometheus", lambda: Path(prometheus or "")),
    }
    for name, (server, place) in programs.items():
        if server in wanted:
            shutil.copy(place(), context / name)
        else:
            (context / name).touch()
    (context / "python").mkdir()
    if "python" in wanted:
        _python(context / "python")


def _python(target: Path) -> None:
    """Copy the Python that runs this; it finds its library from wherever it lies."""
    prefix = Path(sys.base_prefix)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if prefix == Path("/usr"):
        raise NoImageError("The system's own Python cannot be copied: use one of its own folder.")
    (target / "bin").mkdir()
    shutil.copy2(prefix / "bin" / version, target / "bin" / version)
    for name in ("python3", "python"):
        (target / "bin" / name).symlink_to(version)
    leave_out = shutil.ignore_patterns(*LEFT_OUT, "config-3*")
    library = target / "lib" / version
    shutil.copytree(prefix / "lib" / version, library, ignore=leave_out, symlinks=True)
    (library / "site-packages").mkdir()
    for part in (prefix / "lib" / version / "site-packages").glob("pip*"):
        shutil.copytree(part, library / "site-packages" / part.name)
    for shared in (prefix / "lib").glob("libpython3*.so*"):
        shutil.copy2(shared, target / "lib" / shared.name, follow_symlinks=False)
