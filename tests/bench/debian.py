"""Debian's packages for what Carillon is measured beside: unpacked, never installed.

They come from the machine's own Debian mirror into a folder of this environment, each with those
libraries that a small machine may lack.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

PLACE = Path(sys.prefix) / "debian"
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")


@dataclass(frozen=True, slots=True)
class Package:
    """One package and the libraries that its programs are linked with."""

    name: str
    libraries: Sequence[str]

    @property
    def folder(self) -> Path:
        """Where it is unpacked, as below `/`."""
        return PLACE / self.name

    @property
    def environment(self) -> dict[str, str]:
        """What its programs need to find the libraries beside them."""
        return {"LD_LIBRARY_PATH": ":".join(str(self.folder / part) for part in LIBRARIES)}

    def unpacked(self) -> Path:
        """Download and unpack it once; return the folder.

        Raises:
            CalledProcessError: the machine has no Debian mirror, or not these packages.

        """
        if not self.folder.exists():
            downloads = PLACE / f"{self.name}.packages"
            downloads.mkdir(parents=True, exist_ok=True)
            get = ["apt-get", "download", "-qq", self.name, *self.libraries]
            if subprocess.run(get, cwd=downloads, check=False).returncode:
                subprocess.run(["apt-get", "update", "-qq"], check=True)
                subprocess.run(get, cwd=downloads, check=True)
            unfinished = PLACE / f"{self.name}.unfinished"
            for file in downloads.glob("*.deb"):
                subprocess.run(["dpkg", "-x", str(file), str(unfinished)], check=True)
            unfinished.rename(self.folder)
        return self.folder

    def version(self) -> str:
        """Return the version of the package."""
        self.unpacked()
        [file] = (PLACE / f"{self.name}.packages").glob(f"{self.name}_*.deb")
        return unquote(file.name.split("_")[1])
