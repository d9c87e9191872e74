"""What calls and attempts are called: in our documents, by clients, and at the phone side."""

from dataclasses import dataclass

AFTER_ALL = ":"
"""Sorts behind every digit: the end of a run's names."""
_UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class CallId:
    """A call as clients name it: one contact of one run."""

    campaign: str
    run: int
    number: int

    def __str__(self) -> str:
        return f"{self.campaign}-{self.run}-{self.number}"

    def attempt(self, sequence: int) -> str:
        """Return the name of one attempt at the phone side; it is never used again."""
        return f"{self}-{sequence}"


def parse_call_id(text: str) -> CallId | None:
    """Read what `str` wrote; None when it is something else."""
    campaign, rest = text[:_UUID_LENGTH], text[_UUID_LENGTH:]
    empty, _, tail = rest.partition("-")
    run, _, number = tail.partition("-")
    if empty or not (_is_number(run) and _is_number(number)):
        return None
    return CallId(campaign, int(run), int(number))


def campaign_of(attempt: str) -> str:
    """Return which campaign an attempt belongs to, by its name at the phone side."""
    return attempt[:_UUID_LENGTH]


def run_name(campaign: str, run: int) -> str:
    """Return the name of a run's document."""
    return f"{campaign}/{run:05d}"


def call_name(campaign: str, run: int, number: int) -> str:
    """Return the name of a call's document; names sort by number within a run."""
    return f"{campaign}/{run:05d}/{number:09d}"


def attempt_name(campaign: str, run: int, number: int, sequence: int) -> str:
    """Return the name of an attempt's document."""
    return f"{campaign}/{run:05d}/{number:09d}/{sequence:05d}"


def contact_name(campaign: str, number: int) -> str:
    """Return the name of what is known of a contact in all runs."""
    return f"{campaign}/{number:09d}"


def contact_names(campaign: str) -> dict[str, str]:
    """Return what the names of all contacts of a campaign match."""
    return {"$gt": f"{campaign}/", "$lt": f"{campaign}/:"}


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and text == str(int(text))  # noqa: PLR2004 - below 10**9
