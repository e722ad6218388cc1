"""How soon a webhook is answered at a steady rate, and beside it an endpoint that makes one insert per request.

Belongs here: the load, the plain endpoint and the figures. Does not belong here: our endpoint.

    python -m benchmarks.webhooks --rate 500 --seconds 20

Events come at their moments whether or not earlier ones were answered, and an answer's time counts from that moment: an
endpoint that falls behind cannot hide it. The client takes a good part of one core.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psutil
from psycopg import AsyncConnection, sql
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.databases import DOMAIN, made_up, settle
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.server import open_database
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.sandbox.shop.generated import GeneratedShop
from neanelu_pipelines.sandbox.shop.hooks import Event, headers_of
from neanelu_pipelines.sandbox.shop.rest import body_of
from neanelu_pipelines.sandbox.shop.world import Shop
from neanelu_pipelines.settings import settings
from neanelu_pipelines.shopify.webhooks.signature import Secrets

_SECRET = "not a secret: made for this measurement"  # noqa: S105 - as it says
_OURS = [sys.executable, "-m", "neanelu_pipelines.cli.main", "webhooks", "--port", "0", "--json"]
_PLAIN = [sys.executable, "-m", "benchmarks.webhooks", "--plain"]
_CONNECTIONS = 64
_BODIES = 500
_WARM_UP = 50
_POOL = 8
_OK = 200


@dataclass
class Answers:
    """What came back."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=500.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.plain:
        _serve_plain()
        return 0
    sys.stdout.write(json.dumps(measure(given.rate, given.seconds), indent=2) + "\n")
    return 0


def measure(rate: float, seconds: float) -> dict[str, object]:
    """Both endpoints, one after the other, each with a fresh database on the same server."""
    bodies = _bodies()
    result: dict[str, object] = {
        "rate": rate,
        "seconds": seconds,
        "median_body_bytes": round(statistics.median(map(len, bodies))),
    }
    with made_up(open_database(settings())) as bed:
        for name, command in (("ours", _OURS), ("one insert per request", _PLAIN)):
            with bed.fresh() as database:
                settle(database)
                result[name] = _measured(command, database, bodies, rate, seconds)
    return result


def _bodies() -> list[bytes]:
    products = Shop(GeneratedShop(DOMAIN, products=_BODIES, orders=0, customers=0)).products.table
    return [json.dumps(body_of(products.node(number)), ensure_ascii=False).encode() for number in range(_BODIES)]


def _measured(
    command: Sequence[str], database: Database, bodies: Sequence[bytes], rate: float, seconds: float
) -> dict[str, object]:
    with _serving(command, database) as (url, process):
        asyncio.run(_load(url, bodies, rate=rate, count=_WARM_UP))
        before = process.cpu_times()
        answers = asyncio.run(_load(url, bodies, rate=rate, count=round(rate * seconds)))
        after, memory = process.cpu_times(), process.memory_info().rss
    with database.connect(Role.ADMIN) as connection:
        query = statement("benchmarks/count_rows").format(table=sql.Identifier("webhook_events"))
        stored = (connection.execute(query).fetchone() or (0,))[0]
    times = sorted(answers.seconds)
    return {
        "median_ms": round(statistics.median(times) * 1000, 1),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
        "longest_ms": round(times[-1] * 1000, 1),
        "not_200": sum(count for status, count in answers.statuses.items() if status != _OK),
        "answered_200": answers.statuses[_OK],
        "stored": stored - _WARM_UP,
        "endpoint_cpu_share": round((after.user + after.system - before.user - before.system) / seconds, 2),
        "endpoint_mb": round(memory / 1e6),
    }


@contextmanager
def _serving(command: Sequence[str], database: Database) -> Iterator[tuple[str, psutil.Process]]:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "NEANELU_HOME": home,
            "NEANELU_DATABASE_URL": database.urls[Role.ADMIN],
            "NEANELU_WEBHOOK_SECRETS": _SECRET,
        }
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            try:
                assert process.stdout is not None  # noqa: S101 - it was asked for
                yield json.loads(process.stdout.readline())["url"], psutil.Process(process.pid)
            finally:
                process.terminate()


async def _load(url: str, bodies: Sequence[bytes], *, rate: float, count: int) -> Answers:
    """Post `count` events at that rate over kept connections; each waits for a free one if all are busy."""
    where = urlsplit(url)
    answers = Answers()
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(await asyncio.open_connection(where.hostname, where.port))

    async def post(request: bytes, due: float) -> None:
        reader, writer = await free.get()
        try:
            writer.write(request)
            status = await _status(reader)
        finally:
            free.put_nowait((reader, writer))
        answers.seconds.append(time.perf_counter() - due)
        answers.statuses[status] += 1

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            due = begin + number / rate
            request = _request(where.path, bodies[number % len(bodies)])
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(post(request, due))
    while not free.empty():
        free.get_nowait()[1].close()
    return answers


def _request(path: str, body: bytes) -> bytes:
    moment = datetime.now(UTC).isoformat()
    headers = headers_of(Event("products/update", body, str(uuid.uuid4()), moment), DOMAIN, _SECRET)
    headers |= {"Host": "here", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(b" ", 2)[1])


def _serve_plain() -> None:
    """What one writes first: a route that verifies, inserts in a transaction of its own, and answers."""
    import socket

    import uvicorn

    secrets = Secrets(SecretStr(os.environ["NEANELU_WEBHOOK_SECRETS"]))
    pool: asyncio.Queue[AsyncConnection] = asyncio.Queue()
    opened = 0

    async def receive(request: Request) -> Response:
        nonlocal opened
        body = await request.body()
        headers = request.headers
        if not secrets.verify(body, headers["x-shopify-hmac-sha256"].encode()):
            return Response(status_code=401)
        json.loads(body)
        if pool.empty() and opened < _POOL:
            opened += 1
            url = os.environ["NEANELU_DATABASE_URL"]
            pool.put_nowait(await AsyncConnection.connect(url, autocommit=True))
        connection = await pool.get()
        try:
            await connection.execute(statement("webhooks/store_events"), _row(headers, body))
        finally:
            pool.put_nowait(connection)
        return Response(status_code=200)

    app = Starlette(routes=[Route("/webhooks", receive, methods=["POST"])])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks"}) + "\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


def _row(headers: Mapping[str, str], body: bytes) -> dict[str, list[object]]:
    return {
        "keys": [headers["x-shopify-webhook-id"]],
        "domains": [headers["x-shopify-shop-domain"]],
        "topics": [headers["x-shopify-topic"]],
        "versions": [headers["x-shopify-api-version"]],
        "moments": [headers["x-shopify-triggered-at"]],
        "states": ["new"],
        "reasons": [None],
        "payloads": [body.decode()],
    }


if __name__ == "__main__":
    sys.exit(main())
