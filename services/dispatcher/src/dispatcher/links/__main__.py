"""`python -m dispatcher.links FILE`: is this links.toml all right? Says every mistake in it."""

import sys
from pathlib import Path

from campaign_events.table_file import TableFileError
from dispatcher.links.file import LINKS_FILE


def main() -> None:
    """Exit with 0 when the dispatcher could start with this file."""
    if len(sys.argv) != len(("program", "file")):
        sys.exit("usage: python -m dispatcher.links FILE")
    try:
        LINKS_FILE.load(Path(sys.argv[1]))
    except TableFileError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
