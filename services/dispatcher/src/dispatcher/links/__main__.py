"""`python -m dispatcher.links FILE`: is this links.toml all right? Says every mistake in it."""

import sys
from pathlib import Path

from dispatcher.links.file import LinksFileError, load_links


def main() -> None:
    """Exit with 0 when the dispatcher could start with this file."""
    if len(sys.argv) != len(("program", "file")):
        sys.exit("usage: python -m dispatcher.links FILE")
    try:
        load_links(Path(sys.argv[1]))
    except LinksFileError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
