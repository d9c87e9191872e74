"""How the edge serves the dashboard: static files, and how people sign in."""

import json
from collections.abc import Mapping
from pathlib import Path

from carillon.tokens.sign_in import LONGEST
from carillon.tokens.sign_in import PATH as SIGN_IN

type Json = dict[str, object]

SETTINGS = "/dashboard.json"
ASSETS = "/assets/*"  # named by their content, so they never change
PLACES = ("/", "/dashboard", "/dashboard/*")  # the page itself finds out what to show there
READS = ("GET", "HEAD")
A_YEAR = "public, max-age=31536000, immutable"


def dashboard(pages: Path | None, sign_in: Mapping[str, str], sign_in_at: str | None) -> list[Json]:
    """The edge's routes for people; none where there are no pages."""
    if pages is None:
        return []
    exchange = [] if sign_in_at is None else [_exchange(sign_in_at)]
    files: Json = {"handler": "file_server", "root": str(pages)}
    return [
        *exchange,
        _route((SETTINGS,), _settings(sign_in), headers=_kept("no-cache")),
        _route((ASSETS,), files, headers=_kept(A_YEAR)),
        _route(
            PLACES,
            {"handler": "rewrite", "uri": "/index.html"},
            files,
            headers=_kept("no-cache"),
        ),
        _route(("/*",), files, headers=_kept("no-cache"), but=("/api/*",)),
    ]


def _route(
    paths: tuple[str, ...],
    *handlers: Json,
    headers: Mapping[str, list[str]],
    but: tuple[str, ...] = (),
) -> Json:
    match: Json = {"method": list(READS), "path": list(paths)}
    return {
        "match": [match | ({"not": [{"path": list(but)}]} if but else {})],
        "handle": [
            {"handler": "headers", "response": {"set": dict(headers)}},
            {"handler": "encode", "encodings": {"gzip": {}}, "minimum_length": 512},
            *handlers,
        ],
        "terminal": True,
    }


def _settings(sign_in: Mapping[str, str]) -> Json:
    return {
        "handler": "static_response",
        "headers": {"Content-Type": ["application/json"]},
        "body": json.dumps({"sign_in": dict(sign_in)}),
    }


def _exchange(address: str) -> Json:
    return {
        "match": [{"method": ["POST"], "path": [SIGN_IN]}],
        "handle": [
            {"handler": "request_body", "max_size": LONGEST},
            {"handler": "reverse_proxy", "upstreams": [{"dial": address}]},
        ],
        "terminal": True,
    }


def _kept(how_long: str) -> dict[str, list[str]]:
    return {"Cache-Control": [how_long]}
