"""A carrier built on Debian's libnet-smpp-perl, unpacked once into pytest's cache folder.

Nothing is installed: lists, package and modules lie in that folder, and no rights are needed.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from carrier import ForeignCarrier

PROGRAM = Path(__file__).parent / "system" / "carriers" / "net_smpp" / "smsc.pl"
PACKAGE = "libnet-smpp-perl"
FETCHING_S = 30


class NetSmppCarrier(ForeignCarrier):
    """The same handle as on the simulator; it has no configuration."""

    def __init__(self, folder: Path, modules: Path) -> None:
        super().__init__(folder, "")
        self._modules = modules

    def command(self) -> list[str]:
        modules = str(self._modules)
        return ["perl", "-I", modules, str(PROGRAM), str(self.ledger), str(self.port)]


def unpacked(cache: Path) -> Path:
    """The folder of the Perl modules; without Debian's package the test is skipped."""
    modules = cache / "unpacked" / "usr" / "share" / "perl5"
    if modules.exists():
        return modules
    missing = [name for name in ("perl", "apt-get", "dpkg-deb") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"Net::SMPP comes as a Debian package; {', '.join(missing)} is not here")
    for folder in ("lists/partial", "archives/partial"):
        (cache / folder).mkdir(parents=True, exist_ok=True)
    fetched = [_apt(cache, "update"), _apt(cache, "download", PACKAGE)]
    packages = sorted(cache.glob(f"{PACKAGE}_*.deb"))
    if not packages:
        pytest.skip(f"{PACKAGE} could not be fetched: {fetched[-1] or fetched[0]}")
    subprocess.run(["dpkg-deb", "-x", packages[-1], cache / "unpacked"], check=True)
    return modules


def _apt(cache: Path, *wish: str) -> str:
    """Let apt work in a folder of its own; return what it complained about."""
    places = [f"Dir::State::Lists={cache / 'lists'}", f"Dir::Cache::archives={cache / 'archives'}"]
    caches = ["Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=", "APT::Sandbox::User="]
    options = [word for setting in (*places, *caches) for word in ("-o", setting)]
    try:
        done = subprocess.run(
            ["apt-get", "-qq", *options, *wish],
            cwd=cache,
            capture_output=True,
            text=True,
            timeout=FETCHING_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"apt-get {wish[0]} took too long"
    return done.stderr.strip()[-300:] if done.returncode else ""
