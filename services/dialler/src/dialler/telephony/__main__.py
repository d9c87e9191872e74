"""`python -m dialler.telephony FILE`: is this telephony.toml all right? Says all mistakes."""

import sys
from pathlib import Path

from campaign_events.table_file import TableFileError
from dialler.telephony.file import TELEPHONY_FILE


def main() -> None:
    """Exit with 0 when the dialler could start with this file."""
    if len(sys.argv) != len(("program", "file")):
        sys.exit("usage: python -m dialler.telephony FILE")
    try:
        TELEPHONY_FILE.load(Path(sys.argv[1]))
    except TableFileError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
