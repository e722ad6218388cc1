"""A loopback server that answers as the test says, and one with a bucket of points like Shopify's.

Belongs here: what tests of the client talk to. Does not belong here: a shop (`neanelu_pipelines.sandbox`).
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """One answer: `cut` closes the connection after that many bytes of the body, None before the status line."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = -1
    delay: float = 0.0
    drip: float = 0.0
    """Seconds between bytes of the body."""


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[[Request], Answer]


@dataclass
class Scripted:
    """The server: `answers` are given in turn, the last one again and again; or `handler` decides."""

    port: int
    answers: list[Answer] = field(default_factory=list)
    handler: Handler | None = None
    requests: list[Request] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def template(self) -> str:
        return f"http://127.0.0.1:{self.port}/{{domain}}/admin/api/{{version}}/graphql.json"

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            if self.handler is not None:
                return self.handler(request)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def scripted(*answers: Answer, handler: Handler | None = None) -> Iterator[Scripted]:
    """A server that gives these answers."""

    class Handling(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = script.answer(Request(self.path, dict(self.headers), body))
            time.sleep(answer.delay)
            if answer.cut is None:
                self._hang_up()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            whole = answer.body if answer.cut < 0 else answer.body[: answer.cut]
            try:
                for piece in [whole] if not answer.drip else [whole[i : i + 1] for i in range(len(whole))]:
                    self.wfile.write(piece)
                    time.sleep(answer.drip)
            except OSError:
                return
            if answer.cut >= 0:
                self._hang_up()

        def _hang_up(self) -> None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *args: object) -> None:
            """Nothing: the test looks at `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handling)
    server.daemon_threads = True
    script = Scripted(server.server_port, list(answers), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def cost(
    requested: float = 10, actual: float | None = 10, available: float = 1990, maximum: float = 2000, rate: float = 100
) -> dict[str, Any]:
    return {
        "requestedQueryCost": requested,
        "actualQueryCost": actual,
        "throttleStatus": {"maximumAvailable": maximum, "currentlyAvailable": available, "restoreRate": rate},
    }


def good(data: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None, **of_cost: Any) -> Answer:
    """Data, with its cost."""
    body = {"data": data or {"shop": {"name": "Casa Verde"}}, "extensions": {"cost": cost(**of_cost)}}
    return Answer(200, json.dumps(body).encode(), headers or {})


def bad(code: str | None, message: str, *, extra: Mapping[str, Any] | None = None, **of_cost: Any) -> Answer:
    """A GraphQL error, as HTTP 200."""
    extensions = {**({"code": code} if code else {}), **(extra or {})}
    error = {"message": message, "extensions": extensions, "path": ["orders"]}
    body = {"errors": [error], "extensions": {"cost": cost(**{"actual": None, **of_cost})}}
    return Answer(200, json.dumps(body).encode())


class Points:
    """A handler with a leaky bucket: it takes what is requested, and refuses as Shopify does."""

    def __init__(self, *, maximum: float, rate: float, price: float) -> None:
        self.maximum, self.rate, self.price = maximum, rate, price
        self.available = maximum
        self.moment = time.monotonic()
        self.throttled = 0
        self.spent: list[tuple[float, float]] = []

    def __call__(self, request: Request) -> Answer:
        now = time.monotonic()
        self.available = min(self.maximum, self.available + (now - self.moment) * self.rate)
        self.moment = now
        said: dict[str, Any] = {"requested": self.price, "maximum": self.maximum, "rate": self.rate}
        if self.available < self.price:
            self.throttled += 1
            return bad("THROTTLED", "Throttled", available=int(self.available), **said)
        self.available -= self.price
        self.spent.append((now, self.price))
        return good(actual=self.price, available=int(self.available), **said)
