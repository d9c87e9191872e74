"""Print the JSON Schema of every event's data, by type: `python -m campaign_events.schemas`."""

import json
import sys

from campaign_events.catalogue import json_schemas


def document() -> str:
    """Return the schemas as the text that is kept in `docs/events.schema.json`."""
    return json.dumps(json_schemas(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
