"""Make a CycloneDX document say where nothing was fetched from, and check it against its schema.

From standard input to standard output: a package is named by its purl, its files by their hashes.
"""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def main() -> None:
    """Rewrite and check; the exit code is 1 when it is not a CycloneDX document any more."""
    document = json.load(sys.stdin)
    names = {one["bom-ref"]: one["purl"] for one in document["components"]}
    for component in document["components"]:
        component.pop("description", None)
        component["bom-ref"] = component["purl"]
        for reference in component.get("externalReferences", []):
            reference["url"] = component["purl"]
            reference.pop("comment", None)
    for dependency in document.get("dependencies", []):
        dependency["ref"] = names[dependency["ref"]]
    for tool in document["metadata"]["tools"].get("components", []):
        tool.pop("externalReferences", None)
    text = json.dumps(document, indent=2, sort_keys=True)
    mistake = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if mistake is not None:
        sys.exit(f"not a CycloneDX document: {mistake}")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
