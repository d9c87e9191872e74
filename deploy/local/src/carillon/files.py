"""Small files that are either wholly there or not there."""

import os
import tempfile
from pathlib import Path

OWNER_ONLY = 0o600


def write_atomically(file: Path, text: str, *, mode: int = 0o644) -> None:
    """Replace the file in one step: a reader sees the old text or the new one, never a part."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.chmod(mode)
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
