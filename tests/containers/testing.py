"""`make test-containers`: tests whose nats-server and mongod run in containers.

    PYTHONPATH=tests python -m containers.testing [what pytest is told]

Images are made here where no registry is reached, and an engine is started where none answers.
"""

import os
import subprocess
import sys

from rich.console import Console

from containers import images
from containers.engine import Engine, EngineError, NoEngineError, engine

SERVERS = ("nats", "mongo")
TESTS = tuple(
    f"tests/integration/{name}.py"
    for name in (
        *("test_eventlog", "test_projection", "test_leases"),
        "campaign/test_campaign_api",
        "dispatcher/test_dispatcher",
    )
)


def main() -> None:
    """Run the tests; the exit code is pytest's, or 2 when something is missing."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        with engine() as found:
            sys.exit(tested(found, console, sys.argv[1:] or TESTS))
    except (NoEngineError, EngineError, images.NoImageError) as missing:
        console.print(str(missing), markup=False)
        sys.exit(2)


def tested(found: Engine, console: Console, arguments: tuple[str, ...] | list[str]) -> int:
    """Run pytest with this engine; its exit code."""
    made = images.official()
    if not images.registry_is_reached(found):
        made = images.local()
        images.build_servers(found, SERVERS, lambda line: console.print(line, markup=False))
    told = {**found.told, **made.settings, "CARILLON_TEST_SERVERS": "containers"}
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env={**os.environ, **told}, check=False).returncode


if __name__ == "__main__":
    main()
