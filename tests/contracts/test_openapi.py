"""`docs/openapi.json` is what the services say; the dashboard's types come from it."""

import json
from pathlib import Path

from api_document import document

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"
DEFAULT = "default"


def test_the_document_is_what_the_services_say() -> None:
    assert json.loads(FILE.read_text()) == document(), "run `make openapi`"


def test_every_answer_in_json_has_a_schema_of_its_own() -> None:
    vague = [
        f"{method.upper()} {path} {status}"
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        if status != DEFAULT
        and (shown := answer.get("content", {}).get("application/json")) is not None
        and "additionalProperties" in shown["schema"]
    ]
    assert vague == []
