"""Pages of lists that are at hand as a whole."""

import pytest

from campaign_events.paging import Page, _place


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 1000])
def test_pages_follow_each_other_to_the_end(limit: int) -> None:
    letters, seen, cursor = ["a", "b", "c"], [], None
    for _ in letters:
        page = Page(limit, None if cursor is None else _place(cursor)).of(letters)
        assert len(page["items"]) <= limit
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert (seen, cursor) == (letters, None)


def test_behind_the_end_is_nothing() -> None:
    assert Page(5, 9).of(["a"]) == {"items": [], "next_cursor": None}
