"""A small OpenTelemetry collector: it takes spans over HTTP, and tells which belong together."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Seen:
    """A span as it was told."""

    service: str
    name: str
    trace: bytes
    id: bytes
    parent: bytes
    linked: frozenset[bytes]
    """The traces that it is linked to."""
    facts: dict[str, str | int] = field(hash=False)
    failure: str | None

    @property
    def words(self) -> list[str]:
        """Everything that it says."""
        return [self.name, *self.facts, *map(str, self.facts.values()), self.failure or ""]


@dataclass
class Collector:
    """What has been told so far."""

    url: str
    spans: list[Seen] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        told = ExportTraceServiceRequest.FromString(body)
        for resource in told.resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    assert not span.events
                    facts = {
                        one.key: one.value.string_value or one.value.int_value
                        for one in span.attributes
                    }
                    self.spans.append(
                        Seen(
                            names["service.name"],
                            span.name,
                            span.trace_id,
                            span.span_id,
                            span.parent_span_id,
                            frozenset(link.trace_id for link in span.links),
                            facts,
                            span.status.message if span.status.code else None,
                        )
                    )

    def named(self, name: str) -> list[Seen]:
        return [span for span in self.spans if span.name == name]

    def parent_of(self, span: Seen) -> Seen | None:
        return next((one for one in self.spans if one.id == span.parent), None)

    def connected(self, trace: bytes) -> list[Seen]:
        """The spans of a trace, and of all that are linked to it, however far."""
        together = {trace}
        while more := set(self._linked_with(together)) - together:
            together |= more
        return [span for span in self.spans if span.trace in together]

    def _linked_with(self, traces: set[bytes]) -> Iterable[bytes]:
        for span in self.spans:
            if span.trace in traces:
                yield from span.linked
            elif span.linked & traces:
                yield span.trace


@contextmanager
def collecting() -> Iterator[Collector]:
    """Collect for as long as the block does."""

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
