"""What operators ask of a service, over NATS: only the owner of a database works on it.

The HTTP door for it is at one service (`/api/v1/ops`), which passes every question on to its owner:
a request on `ops.<service>.<question>`, answered by one process of that service.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import nats.errors
import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from pymongo.errors import PyMongoError

from campaign_events.decider import Conflict, Refused
from campaign_events.directread import ReadFailed
from campaign_events.eventlog import Unavailable
from campaign_events.problems import Problem, problem_of

OWNERS = ("campaign", "moderation", "dispatcher", "dialler", "read_model")
"""The services that keep a database."""
ANSWER_S = 5.0
WITHIN = "ops"

EXPECTED = (Problem, Refused, Conflict, Unavailable, ReadFailed, PyMongoError)

log = structlog.get_logger(__name__)

type Body = Mapping[str, Any]
type Answerer = Callable[[Body], Awaitable[Any]]


async def answer(nc: Client, service: str, answerers: Mapping[str, Answerer]) -> None:
    """Answer questions by name until cancelled; what goes wrong is answered as a problem."""

    async def heard(message: Msg) -> None:
        question = message.subject.rpartition(".")[2]
        asking = asyncio.create_task(_answered(answerers, question, message))
        under_way.add(asking)
        asking.add_done_callback(under_way.discard)

    under_way: set[asyncio.Task[None]] = set()
    subscription = await nc.subscribe(f"{WITHIN}.{service}.*", queue=WITHIN, cb=heard)
    try:
        await asyncio.Event().wait()
    finally:
        for asking in under_way:
            asking.cancel()
        if not nc.is_closed:
            await subscription.unsubscribe()


async def ask(
    nc: Client, service: str, question: str, body: Body | None = None, within_s: float = ANSWER_S
) -> Any:  # noqa: ANN401 - what the question's answerer returns
    """Ask a service; return its answer.

    Raises:
        Problem: what it answers instead, or 503 when nobody does.

    """
    try:
        reply = await nc.request(
            f"{WITHIN}.{service}.{question}", orjson.dumps(body or {}), timeout=within_s
        )
    except nats.errors.Error as error:
        text = f"The service {service} does not answer; is it running? Try again in a moment."
        raise Problem(503, "unavailable", text) from error
    said = orjson.loads(reply.data)
    if "problem" in said:
        refused = said["problem"]
        raise Problem(
            refused["status"], refused["code"], refused["detail"], reasons=refused["reasons"]
        )
    return said["answer"]


async def _answered(answerers: Mapping[str, Answerer], question: str, message: Msg) -> None:
    answerer = answerers.get(question)
    if answerer is None:
        said = _problem(Problem(404, "not_found", f"This service knows no question {question}."))
    else:
        try:
            said = {"answer": await answerer(orjson.loads(message.data))}
        except EXPECTED as error:
            said = _problem(problem_of(error))
    try:
        await message.respond(orjson.dumps(said))
    except nats.errors.Error as error:
        log.warning("answer lost", question=question, why=repr(error))


def _problem(problem: Problem) -> dict[str, Any]:
    shown = ("status", "code", "detail", "reasons")
    return {"problem": {name: getattr(problem, name) for name in shown}}
