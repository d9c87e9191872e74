"""A data folder that cannot be used is said in one line, whatever the command."""

import subprocess
from pathlib import Path

import pytest

from carillon.errors import about_a_file
from stacks import CARILLON, plain_environment

COMMANDS = [
    ("up", "--port", "0"),
    ("token", "--role", "viewer"),
    ("sign-in",),
    ("log", "stats"),
    ("projections", "list"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda it: it[0])
@pytest.mark.parametrize("folder", ["{file}/below", "/proc/nobody/carillon"])
def test_a_folder_that_cannot_be_is_one_line(
    tmp_path: Path, command: tuple[str, ...], folder: str
) -> None:
    (tmp_path / "file").touch()
    data = folder.format(file=tmp_path / "file")
    ended = subprocess.run(
        [CARILLON, *command, "--data", data],
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=25,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("carillon: ")
    assert len(ended.stderr.splitlines()) == 1
    assert "--data" in ended.stderr


def test_an_error_that_names_no_file_is_a_mistake_of_ours() -> None:
    assert about_a_file(OSError(9, "Bad file descriptor")) is None
    assert about_a_file(OSError(9, "Bad file descriptor", "some")) is None
