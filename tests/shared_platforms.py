"""Which test files one worker takes together, because they share a platform.

To start one takes ten seconds of processor time, and an idle one a tenth of a core. In tests/system
it is shared twice, so that no worker has much more to do than the others.
"""

from pathlib import PurePath

from xdist.scheduler import LoadFileScheduling

BROWSER = "browser"
SYSTEM = {
    "disturbed": ("audit", "core_down", "projections", "voice"),
    "undisturbed": ("access", "bad_input", "command_line", "fuzzed_doors", "journey"),
}


def of(file: str) -> str:
    """The name of the platform that tests of this file share with others, else the file itself."""
    path = PurePath(file)
    if path.parent.name == BROWSER:
        return BROWSER
    for platform, names in SYSTEM.items():
        if path.parent.name == "system" and path.stem.removeprefix("test_") in names:
            return platform
    return file


class Scheduling(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
    """One worker takes all files of a platform; all others are taken one by one."""

    def _split_scope(self, nodeid: str) -> str:
        return of(nodeid.partition("::")[0])
