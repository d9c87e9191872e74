"""What a container may not do, looked at from inside and from the engine's side."""

from collections.abc import Iterator
from pathlib import Path

from containers.composition import Composition
from containers.engine import EngineError

NO_CAPABILITY = "0" * 16
MAY_BIND = f"{1 << 10:016x}"  # CAP_NET_BIND_SERVICE
ALLOWED = {"edge": MAY_BIND}


def weaknesses(composition: Composition, service: str) -> Iterator[str]:
    """Everything about this container that is softer than compose.yml promises."""
    status = dict(
        line.split(":", 1)
        for line in composition.ask(service, "cat", "/proc/1/status").splitlines()
    )
    uids = set(status["Uid"].split())
    if "0" in uids:
        yield f"{service} runs as root"
    allowed = {NO_CAPABILITY, ALLOWED.get(service, NO_CAPABILITY)}
    for name in ("CapEff", "CapPrm", "CapBnd"):
        if status[name].strip() not in allowed:
            yield f"{service} has capabilities: {name} {status[name].strip()}"
    if status["NoNewPrivs"].strip() != "1":
        yield f"{service} may gain privileges"
    try:
        composition.ask(service, "sh", "-c", "exec > /written")
        yield f"{service} can write to its root file system"
    except EngineError as refused:
        if "Read-only file system" not in str(refused):
            yield f"{service}: {refused}"


def told_secrets(composition: Composition, service: str, secrets: Path) -> Iterator[str]:
    """Secrets that whoever may look at the container's settings reads there."""
    seen = str(composition.inspect(service))
    for file in sorted(secrets.rglob("*")):
        if not file.is_file() or file.suffix in (".crt", ".env"):
            continue
        words = (word.strip('", ') for word in file.read_text().split())
        if any(len(word) >= 16 and word in seen for word in words):
            yield f"{service} tells {file.name} to everybody"
