"""What travels from request to request and event to event, and what stays out of it."""

import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from campaign_events import tracing
from campaign_events.decider import Refused

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = int("0af7651916cd43dd8448eb211c80319c", 16)
PHONE = "+4915112345678"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing._SPANS, "tracer", provider.get_tracer("test"))
    return exporter


def spans(told: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in told.get_finished_spans()}


def test_a_span_goes_on_with_the_trace_that_it_is_given(told: InMemorySpanExporter) -> None:
    with tracing.span("react", parent=PARENT), tracing.span("command"):
        inner = tracing.traceparent()
    assert inner is not None
    assert inner.split("-")[1] == PARENT.split("-")[1]
    react, command = spans(told)["react"], spans(told)["command"]
    assert (react.context.trace_id, command.context.trace_id) == (TRACE, TRACE)
    assert inner.split("-")[2] == trace.format_span_id(command.context.span_id)
    assert tracing.traceparent() is None


def test_work_on_many_things_begins_a_trace_that_is_linked_to_theirs(
    told: InMemorySpanExporter,
) -> None:
    with tracing.span("request"), tracing.span("submit", linked=[PARENT, None, "rubbish"]):
        pass
    submit = spans(told)["submit"]
    assert submit.parent is None
    assert [link.context.trace_id for link in submit.links] == [TRACE]


@pytest.mark.parametrize("given", ["rubbish", "", "00-0-0-00", f"{PARENT}-{PHONE}", "ÿ"])
@pytest.mark.usefixtures("told")
def test_a_sender_that_names_no_trace_begins_one(given: str) -> None:
    with tracing.request("GET", [(b"traceparent", given.encode("latin-1"))]) as one:
        assert one.get_span_context().trace_id != TRACE
        assert PHONE not in (tracing.traceparent() or "")


def test_an_error_leaves_its_kind_and_not_its_words(told: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="49"), tracing.span("broken"):
        raise ValueError(PHONE)
    with pytest.raises(Refused), tracing.span("refused"):
        raise Refused(PHONE)
    broken, refused = spans(told)["broken"], spans(told)["refused"]
    assert (broken.status.status_code, broken.status.description) == (
        StatusCode.ERROR,
        "ValueError",
    )
    assert refused.status.status_code is StatusCode.UNSET
    assert not broken.events
    assert PHONE not in f"{broken.to_json()}{refused.to_json()}"


def test_a_log_line_names_its_span_and_none_outside(told: InMemorySpanExporter) -> None:
    assert tracing.log_ids(None, "info", {"event": "x"}) == {"event": "x"}
    with tracing.span("plan"):
        line = tracing.log_ids(None, "info", {})
    [span] = told.get_finished_spans()
    assert line == {
        "trace_id": trace.format_trace_id(span.context.trace_id),
        "span_id": trace.format_span_id(span.context.span_id),
    }


def test_what_exports_is_not_even_imported_while_nobody_wants_traces() -> None:
    program = "import sys, dispatcher.__main__; print('opentelemetry.sdk' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "False"
