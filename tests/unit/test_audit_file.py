"""The file in which audit records wait: durable, in order, bounded, and whole after a power cut."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign_events.audit_file import FallbackFile, FallbackTaken


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit" / "campaign.jsonl"


@pytest.fixture
def file(path: Path) -> Iterator[FallbackFile]:
    opened = FallbackFile(path)
    yield opened
    opened.close()


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(first, first + count)]


async def test_lines_come_back_in_order_and_the_file_is_emptied_at_the_end(
    file: FallbackFile, path: Path
) -> None:
    assert await file.append(numbered(3)) == 3
    assert await file.append(numbered(2, 3)) == 2
    assert (file.lines, file.size) == (5, path.stat().st_size)
    first = await file.first(4)
    assert first == numbered(4)
    await file.done(first)
    assert (file.lines, file.size) == (1, len(b'{"n":4}\n'))
    await file.done(await file.first(4))
    assert (file.lines, file.size, path.stat().st_size) == (0, 0, 0)
    assert await file.first(4) == []


async def test_lines_that_come_while_others_are_read_stay(file: FallbackFile) -> None:
    await file.append(numbered(2))
    first = await file.first(10)
    await file.append(numbered(1, 2))
    await file.done(first)
    assert await file.first(10) == numbered(1, 2)


async def test_a_successor_finds_what_was_left(path: Path) -> None:
    file = FallbackFile(path)
    await file.append(numbered(1000))
    await file.done(await file.first(400))
    file.close()
    again = FallbackFile(path)
    assert again.lines == 1000, "what was read in but not forgotten comes again: records have ids"
    assert await again.first(1) == numbered(1)
    again.close()


@pytest.mark.parametrize("torn", [b'{"n":', b"\0" * 5000, b"x" * 2_500_000])
async def test_a_torn_last_line_is_cut_off(path: Path, torn: bytes) -> None:
    path.parent.mkdir()
    whole = b"".join(line + b"\n" for line in numbered(3))
    path.write_bytes(whole + torn)
    file = FallbackFile(path)
    assert (file.lines, path.read_bytes()) == (3, whole)
    await file.append(numbered(1, 3))
    assert await file.first(10) == numbered(4)
    file.close()


async def test_a_file_that_holds_only_a_torn_line_is_empty(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"n"')
    file = FallbackFile(path)
    assert (file.lines, file.size, await file.first(1)) == (0, 0, [])
    file.close()


async def test_a_full_file_keeps_the_oldest_and_takes_again_when_it_is_empty(path: Path) -> None:
    file = FallbackFile(path, cap=30)
    assert await file.append(numbered(5)) == 3
    assert await file.append(numbered(1)) == 0
    await file.done(await file.first(10))
    assert await file.append(numbered(1)) == 1
    file.close()


async def test_a_disk_that_takes_nothing_leaves_no_half_line(
    file: FallbackFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await file.append(numbered(1))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            await file.append(numbered(1, 1))
    assert path.read_bytes() == b'{"n":0}\n'
    await file.append(numbered(1, 2))
    assert await file.first(10) == [b'{"n":0}', b'{"n":2}']


@pytest.mark.usefixtures("file")
async def test_two_processes_never_share_a_file(path: Path) -> None:
    with pytest.raises(FallbackTaken, match="another process"):
        FallbackFile(path)


async def test_a_large_file_is_told_once(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = FallbackFile(path, warn_at=20)
    await file.append(numbered(2))
    assert "large" not in capsys.readouterr().out
    await file.append(numbered(1))
    await file.append(numbered(1))
    assert capsys.readouterr().out.count("audit fallback file is large") == 1
    file.close()


async def test_what_waits_is_changed_where_it_is(file: FallbackFile, path: Path) -> None:
    await file.append(numbered(4))
    await file.done(await file.first(1))
    await file.rewrite(lambda line: line.replace(b"2", b"*"))
    assert await file.first(4) == [b'{"n":1}', b'{"n":*}', b'{"n":3}']
    assert path.stat().st_size == len(b"".join(numbered(4))) + 4
    await file.append(numbered(1, 4))
    assert file.lines == 4
    with pytest.raises(ValueError, match="as long as it is"):
        await file.rewrite(lambda line: line + b"!")
