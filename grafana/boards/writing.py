"""All boards as the JSON that Grafana loads."""

import json
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from boards.dialling import dialling
from boards.dispatch import dispatch
from boards.platform import platform
from boards.projections import projections
from boards.reading import reading

DASHBOARDS: Final = Path(__file__).parents[1] / "dashboards"


def texts() -> dict[str, str]:
    """The text of every file in `grafana/dashboards`, by its name."""
    boards = (platform(), dispatch(), dialling(), projections(), reading())
    return {
        f"{str(one.uid).removeprefix('carillon-')}.json": json.dumps(
            one, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False
        )
        + "\n"
        for one in boards
    }
