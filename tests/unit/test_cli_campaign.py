import io
from pathlib import Path

import pytest
from rich.console import Console

from carillon.cli import main
from carillon.stack_file import NoStackError
from carillon.traffic.campaign_run import (
    Standing,
    UnusableFileError,
    UploadReport,
    Wish,
    run_campaign,
)
from carillon.traffic.display import LiveBars, PlainLines, display_on, report_lines


def campaign(status: str, **stats: int) -> dict[str, object]:
    return {"id": "c1", "status": status, "stats": stats}


def test_in_flight_is_what_the_dispatcher_and_the_carrier_still_work_on() -> None:
    standing = Standing.of(campaign("sending", total=10, submitting=2, submitted=3, queued=5))
    assert standing.in_flight == 5
    assert not standing.is_final


@pytest.mark.parametrize("status", ["done", "failed", "cancelled", "expired"])
def test_a_campaign_is_followed_until_nothing_will_happen_any_more(status: str) -> None:
    assert Standing.of(campaign(status)).is_final


def test_a_new_campaign_without_numbers_is_shown_as_zeros() -> None:
    assert Standing.of({"status": "new", "stats": None}).total == 0


def test_plain_output_ends_with_one_line_of_totals() -> None:
    out = io.StringIO()
    with display_on(Console(file=out)) as display:
        assert isinstance(display, PlainLines)
        display.standing(Standing.of(campaign("sending", total=9, queued=9)))
        display.standing(Standing.of(campaign("done", total=9, delivered=8, failed=1, segments=12)))
    lines = out.getvalue().splitlines()
    assert lines[0] == ("sending: 9 queued, 0 in flight, 0 delivered, 0 failed, 0 skipped of 9")
    assert lines[-1] == (
        "done total=9 queued=0 submitting=0 submitted=0 delivered=8 failed=1 skipped=0 segments=12"
    )


def test_plain_output_says_nothing_twice() -> None:
    out = io.StringIO()
    display = PlainLines(Console(file=out))
    for _ in range(3):
        display.standing(Standing.of(campaign("sending", total=9, queued=9)))
    assert len(out.getvalue().splitlines()) == 1


def test_a_terminal_shows_a_bar_for_each_share() -> None:
    out = io.StringIO()
    with display_on(Console(file=out, force_terminal=True, width=100)) as display:
        assert isinstance(display, LiveBars)
        display.uploading(10, 10)
        display.uploaded(UploadReport(4, 0, 0, 0, ()))
        display.standing(Standing.of(campaign("done", total=4, delivered=4)))
    for share in ("queued", "in flight", "delivered", "failed"):
        assert share in out.getvalue()


def test_the_upload_report_names_the_bad_rows() -> None:
    report = UploadReport(7, 3, 1, 0, ((2, "too short"), (9, "no digits")))
    assert list(report_lines(report)) == [
        "uploaded: 7 accepted, 3 invalid, 1 duplicate, 0 suppressed",
        "  line 2: too short",
        "  line 9: no digits",
        "  and 1 more invalid rows",
    ]


async def test_a_file_that_is_not_there_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    wish = Wish(file=tmp_path / "none.csv", text="Hi", name="x")
    with pytest.raises(UnusableFileError, match=r"none\.csv cannot be read"):
        await run_campaign(tmp_path, wish, PlainLines(Console(file=io.StringIO())))


async def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "numbers.xlsx"
    file.touch()
    with pytest.raises(UnusableFileError, match=r"neither \.csv"):
        await run_campaign(tmp_path, Wish(file, "Hi", "x"), PlainLines(Console(file=io.StringIO())))


async def test_a_platform_that_is_not_up_is_named(tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text("phone\n")
    with pytest.raises(NoStackError, match="carillon up"):
        await run_campaign(tmp_path, Wish(file, "Hi", "x"), PlainLines(Console(file=io.StringIO())))


def test_an_expected_error_is_one_line_and_exit_code_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["carillon", "campaign", "run", str(tmp_path / "none.csv"), "--text", "Hi"]
    monkeypatch.setattr("sys.argv", [*command, "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    written = capsys.readouterr()
    assert written.err.startswith("carillon: ")
    assert "Traceback" not in written.err
