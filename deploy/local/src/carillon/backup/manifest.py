"""What is in a backup, written last: a folder without one is no backup, a changed file no good."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import orjson

from carillon.backup.snapshots import ReaderPlace, StreamFile
from carillon.errors import PlainError
from carillon.files import OWNER_ONLY, write_atomically

NAME = "manifest.json"
FORMAT = 1
BLOCK = 1024 * 1024

type Advance = Callable[[int], None]


class BadBackupError(PlainError):
    """A folder holds no backup, or not what was written there."""


@dataclass(frozen=True, slots=True)
class CollectionFile:
    """One collection of MongoDB as a file of BSON documents, one behind the other."""

    database: str
    name: str
    file: str
    documents: int
    bytes: int
    sha256: str
    options: Mapping[str, Any]
    indexes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of the data folder, by its place there."""

    place: str
    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All parts of a backup."""

    made_at: datetime
    streams: Sequence[StreamFile] = ()
    readers: Sequence[ReaderPlace] = ()
    collections: Sequence[CollectionFile] = ()
    files: Sequence[KeptFile] = ()
    format: int = field(default=FORMAT)

    @property
    def bytes(self) -> int:
        """How large all files are together."""
        return sum(part.bytes for part in self._parts())

    def write(self, folder: Path) -> None:
        """Write it into the backup, with a checksum of its own."""
        content = asdict(self)
        digest = _digest_of(content)
        text = orjson.dumps({**content, "sha256": digest}, option=orjson.OPT_INDENT_2).decode()
        write_atomically(folder / NAME, f"{text}\n", mode=OWNER_ONLY)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the manifest of a backup.

        Raises:
            BadBackupError: there is none, or it has been changed.
        """
        try:
            found = orjson.loads((folder / NAME).read_bytes())
            digest = found.pop("sha256")
        except OSError as error:
            raise BadBackupError(
                f"{folder} holds no finished backup ({NAME}: {error.strerror})."
            ) from error
        except (ValueError, KeyError, AttributeError) as error:
            raise _broken(folder, NAME) from error
        if _digest_of(found) != digest:
            raise _broken(folder, NAME)
        if found["format"] != FORMAT:
            raise BadBackupError(f"{folder} was written by another version (format {FORMAT + 1}).")
        return cls(
            made_at=datetime.fromisoformat(found["made_at"]).astimezone(UTC),
            streams=[StreamFile(**one) for one in found["streams"]],
            readers=[ReaderPlace(**one) for one in found["readers"]],
            collections=[CollectionFile(**one) for one in found["collections"]],
            files=[KeptFile(**one) for one in found["files"]],
        )

    def check(self, folder: Path, advance: Advance, *, only_log: bool = False) -> None:
        """Read every file and compare it with what was written.

        Raises:
            BadBackupError: one is missing or different.
        """
        for part in self.streams if only_log else self._parts():
            digest, size = hashlib.sha256(), 0
            try:
                for block in _blocks(folder / part.file):
                    digest.update(block)
                    size += len(block)
                    advance(len(block))
            except OSError as error:
                raise BadBackupError(
                    f"{folder / part.file} can not be read ({error.strerror}): the backup is not "
                    "whole. Use another one."
                ) from error
            if (size, digest.hexdigest()) != (part.bytes, part.sha256):
                raise _broken(folder, part.file)

    def _parts(self) -> Iterator[StreamFile | CollectionFile | KeptFile]:
        yield from self.streams
        yield from self.collections
        yield from self.files


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while block := content.read(BLOCK):
            yield block


def _digest_of(content: object) -> str:
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def _broken(folder: Path, name: str) -> BadBackupError:
    return BadBackupError(
        f"{folder / name} is not as it was written: the backup is broken. Use another one."
    )
