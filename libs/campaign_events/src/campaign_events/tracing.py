"""Traces: from a request through the log to the carrier. Off unless an endpoint is set.

Only the API of OpenTelemetry is imported here; without `OTEL_EXPORTER_OTLP_ENDPOINT` its spans do
nothing. What led to an event travels in its envelope (`traceparent`): whoever works because of the
event goes on with that trace, or begins one that is linked to it. Spans name campaigns, links and
counts, never a person, a phone, a text or a query.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import (
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass
from threading import Thread
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from campaign_events.decider import Conflict, Refused

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
FLUSH_S = 2.0
"""So long the end of a service waits for its last spans to be taken."""


@dataclass(slots=True)
class _Spans:
    """Who makes spans: somebody who began before us, or ourselves, or nobody."""

    tracer: trace.Tracer

    @property
    def are_taken(self) -> bool:
        """Tell whether anybody takes spans: making them for nobody was an eighth of a decision."""
        return not isinstance(self.tracer, trace.ProxyTracer)


_SPANS = _Spans(trace.get_tracer("carillon"))
_W3C = TraceContextTextMapPropagator()


@asynccontextmanager
async def exported(service: str, version: str) -> AsyncIterator[None]:
    """Send spans to the endpoint inside the block, if there is one; it may come and go."""
    if not os.environ.get(ENDPOINT):
        yield
        return
    end = _start(service, version)
    try:
        yield
    finally:
        # A thread of its own, because an exporter whose endpoint is gone tries on and on.
        ending = Thread(target=end, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, FLUSH_S)


def _start(service: str, version: str) -> Callable[[], None]:
    """Import what exports, which takes its time, and begin."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    names = {
        "service.namespace": "carillon",
        "service.name": service,
        "service.version": version,
        "service.instance.id": str(os.getpid()),
    }
    provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _SPANS.tracer = provider.get_tracer("carillon")
    return provider.shutdown


def span(
    name: str,
    *,
    parent: str | None = None,
    linked: Iterable[str | None] | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    **facts: str | int,
) -> AbstractContextManager[Span]:
    """Work inside a span: a child of `parent` (a traceparent), or else of the current span.

    With `linked` it begins a trace of its own, which is linked to those.
    """
    if parent is None and linked is None and not _SPANS.are_taken:
        return nullcontext(trace.get_current_span())
    return _span(name, parent, linked, kind, facts)


@contextmanager
def _span(
    name: str,
    parent: str | None,
    linked: Iterable[str | None] | None,
    kind: SpanKind,
    facts: Mapping[str, str | int],
) -> Iterator[Span]:
    context = None if parent is None else _context(parent)
    links: list[Link] = []
    if linked is not None:
        context = Context()
        links = [Link(to) for known in linked if (to := _span_context(known)) is not None]
    named = {f"carillon.{fact}": value for fact, value in facts.items()}
    with ExitStack() as stack:
        one = stack.enter_context(
            _SPANS.tracer.start_as_current_span(
                name,
                context,
                kind,
                named,
                links,
                record_exception=False,
                set_status_on_exception=False,
            )
        )
        stack.push(_failing(one))
        yield one


def _failing(one: Span) -> Callable[..., None]:
    """Return what notes the kind of an error, and nothing that it says. A no is no error."""

    def note(kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            return
        one.set_attribute("carillon.ended", kind.__name__)
        if not issubclass(kind, (Refused, Conflict)):
            one.set_status(StatusCode.ERROR, kind.__name__)

    return note


def request(method: str, headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[Span]:
    """Return the span of a request, in the trace that its sender names."""
    given = next((value for name, value in headers if name == b"traceparent"), None)
    parent = None if given is None else given.decode("latin-1")
    return span(method, parent=parent, kind=SpanKind.SERVER)


def answered(one: Span, method: str, route: str, status: int) -> None:
    """Note on the span of a request how it was answered."""
    if one.is_recording():
        one.update_name(f"{method} {route}")
        one.set_attribute("http.request.method", method)
        one.set_attribute("http.route", route)
        one.set_attribute("http.response.status_code", status)


def link(traceparent: str | None) -> None:
    """Link the current span to what went before."""
    if (context := _span_context(traceparent)) is None:
        return
    one = trace.get_current_span()
    if context.trace_id != one.get_span_context().trace_id:
        one.add_link(context)


def traceparent() -> str | None:
    """Return how the current span is named in an envelope; None outside of every trace."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def log_ids(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the ids of the current span into a log line."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
        line["span_id"] = trace.format_span_id(context.span_id)
    return line


def _context(traceparent: str) -> Context:
    return _W3C.extract({"traceparent": traceparent}, Context())


def _span_context(traceparent: str | None) -> trace.SpanContext | None:
    if traceparent is None:
        return None
    context = trace.get_current_span(_context(traceparent)).get_span_context()
    return context if context.is_valid else None
