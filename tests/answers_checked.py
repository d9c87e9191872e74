"""Every answer that a page gets is held against the OpenAPI document."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
from playwright.async_api import Error, Page, Response

JSON = "application/json"


@dataclass
class Contract:
    """What the document says of each path, and which answers said something else."""

    components: dict[str, Any]
    paths: list[tuple[re.Pattern[str], dict[str, Any]]]
    broken: list[str] = field(default_factory=list)
    seen: int = 0
    _reading: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    def of(cls, file: Path) -> "Contract":
        document = json.loads(file.read_text())
        fixed_first = sorted(document["paths"].items(), key=lambda one: one[0].count("{"))
        paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations)
            for path, operations in fixed_first
        ]
        return cls(document["components"], paths)

    def watch(self, page: Page) -> None:
        """Look at every answer that this page gets."""
        page.on("response", self._take)

    async def settled(self) -> None:
        """Wait for the answers that are still being read."""
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _take(self, answer: Response) -> None:
        if answer.ok and JSON in answer.headers.get("content-type", ""):
            task = asyncio.create_task(self._read(answer))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read(self, answer: Response) -> None:
        schema = self._schema(answer)
        if schema is None:
            return
        try:
            body = await answer.json()
        except Error:
            return  # the page has gone on before it was read
        self.seen += 1
        try:
            jsonschema.validate(body, schema | {"components": self.components})
        except jsonschema.ValidationError as error:
            asked = f"{answer.request.method} {urlsplit(answer.url).path}"
            self.broken.append(f"{asked}: {error.json_path}: {error.message[:200]}")

    def _schema(self, answer: Response) -> dict[str, Any] | None:
        path = urlsplit(answer.url).path
        for pattern, operations in self.paths:
            operation = operations.get(answer.request.method.lower())
            if operation and pattern.fullmatch(path):
                said = operation["responses"].get(str(answer.status), {})
                found: dict[str, Any] | None = said.get("content", {}).get(JSON, {}).get("schema")
                return found
        return None
