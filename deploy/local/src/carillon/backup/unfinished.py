"""A mark on a data folder whose content is being put in place: nothing is started there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carillon.errors import PlainError
from carillon.files import write_atomically

NAME = "unfinished"


class UnfinishedError(PlainError):
    """What a folder holds was not put there to the end."""


def refuse_unfinished(data: Path) -> None:
    """Make sure that a folder is not half full.

    Raises:
        UnfinishedError: it is.
    """
    mark = data / NAME
    if mark.exists():
        raise UnfinishedError(
            f"{mark.read_text().strip()} into {data} did not come to its end: remove the folder "
            f"(rm -r {data}) and do it again."
        )


@contextmanager
def unfinished(data: Path, what: str) -> Iterator[None]:
    """Mark a folder until the block has come to its end."""
    write_atomically(data / NAME, f"{what}\n")
    yield
    (data / NAME).unlink()
