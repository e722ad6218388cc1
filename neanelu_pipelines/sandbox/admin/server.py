"""The sandbox as an HTTP server on this machine: shops, tokens, faults, downloads.

Belongs here: HTTP, and starting and ending the server. Does not belong here: GraphQL (`requests`), bulk operations
(`bulk`), what is in a shop (`sandbox.shop`).
"""

import asyncio
import hmac
import json
import logging
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from neanelu_pipelines.sandbox.admin.api import Api
from neanelu_pipelines.sandbox.admin.bulk import BulkOperation, BulkOperations, Pace
from neanelu_pipelines.sandbox.admin.changes import change
from neanelu_pipelines.sandbox.admin.connections import CuttableProtocol, close_connection, cut_connection
from neanelu_pipelines.sandbox.admin.cost import Bucket
from neanelu_pipelines.sandbox.admin.downloads import Cut, Signer, serve
from neanelu_pipelines.sandbox.admin.faults import DOWNLOAD_TROUBLES, REQUEST_TROUBLES, Fault, Faults, Trouble
from neanelu_pipelines.sandbox.admin.requests import answer
from neanelu_pipelines.sandbox.shop.generated import GeneratedShop
from neanelu_pipelines.sandbox.shop.overlay import Clock
from neanelu_pipelines.sandbox.shop.world import Shop

_KEPT_REQUESTS = 100_000
_START_SECONDS = 10.0


@dataclass(frozen=True)
class Seen:
    """A request that came: for tests and figures. `host` is the one it was sent to."""

    at: float
    host: str
    shop: str
    kind: str
    operation: str | None
    cost: float
    throttled: bool
    with_token: bool


@dataclass
class _Served:
    """A shop and what the server keeps for it."""

    shop: Shop
    bulk: BulkOperations
    bucket: Bucket


class Sandbox:
    """Made-up shops behind a local Admin API, while the `with` block lasts.

    `bucket` is (maximum, points a second) of each shop's cost bucket. `port` 0 is a free one.
    """

    def __init__(
        self,
        shops: Sequence[GeneratedShop],
        *,
        pace: Pace | None = None,
        bucket: tuple[float, float] = (2000.0, 100.0),
        port: int = 0,
        clock: Clock = time.time,
    ) -> None:
        self.faults = Faults()
        self.requests: deque[Seen] = deque(maxlen=_KEPT_REQUESTS)
        self._pace = pace or Pace()
        self._signer = Signer()
        self._port = port
        self._folder = tempfile.TemporaryDirectory(prefix="neanelu-sandbox-", ignore_cleanup_errors=True)
        self._shops = {spec.domain: self._served(Shop(spec, clock), bucket) for spec in shops}
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None

    def _served(self, shop: Shop, bucket: tuple[float, float]) -> _Served:
        folder = Path(self._folder.name) / shop.spec.domain
        folder.mkdir()
        return _Served(shop, BulkOperations(shop, folder, self._pace, self.faults), Bucket(*bucket))

    def __enter__(self) -> Self:
        self.open()
        self._thread = threading.Thread(target=self._run, daemon=True, name="sandbox")
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while self._server is None or not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("The sandbox did not start.")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server; its files go with it."""
        for served in self._shops.values():
            served.bulk.stop()
            served.shop.close()
        if self._server is not None:
            self._server.should_exit = True
            self._server.force_exit = True
        if self._thread is not None:
            self._thread.join(timeout=_START_SECONDS)
        if self._socket is not None:
            self._socket.close()
        self._folder.cleanup()

    def serve_forever(self) -> None:
        """Serve in this thread, until a signal."""
        if self._socket is None:
            self.open()
        self._run()

    def open(self) -> None:
        """Take the port, so that the address is known.

        Raises:
            OSError: it is taken.
        """
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", self._port))
        # Whoever comes before the server is ready waits for it.
        self._socket.listen(128)
        self._port = self._socket.getsockname()[1]

    def _run(self) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        config = uvicorn.Config(
            self._app(),
            http=CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=60,
        )
        self._server = uvicorn.Server(config)
        assert self._socket is not None  # noqa: S101 - opened before
        self._server.run(sockets=[self._socket])

    @property
    def address(self) -> str:
        """Where the server answers, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url_template(self) -> str:
        """The address of a shop's GraphQL endpoint, with {domain} and {version} to be put in."""
        return f"{self.address}/{{domain}}/admin/api/{{version}}/graphql.json"

    @property
    def domains(self) -> list[str]:
        """The domains of the shops."""
        return list(self._shops)

    def shop(self, domain: str) -> Shop:
        """The shop with this domain: to look into and to change."""
        return self._shops[domain].shop

    def bulk(self, domain: str) -> BulkOperations:
        """The bulk operations of a shop: to see them, and to change their pace."""
        return self._shops[domain].bulk

    def token(self, domain: str) -> str:
        """The access token of a shop."""
        return self._shops[domain].shop.spec.token

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/{domain}/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
                Route("/{domain}/results/{name}", self._download, methods=["GET", "HEAD"]),
                Route("/__faults", self._add_fault, methods=["POST", "DELETE"]),
                Route("/__shop/{domain}", self._change, methods=["POST"]),
            ]
        )

    async def _graphql(self, request: Request) -> Response:
        domain = request.path_params["domain"]
        text = (await request.body()).decode("utf-8", "replace")
        served = self._shops.get(domain)
        if served is None:
            return JSONResponse({"errors": "Not Found"}, 404)
        fault = self.faults.next(REQUEST_TROUBLES, domain, text)
        early = await self._early(request, fault)
        if early is not None:
            return early
        version = request.path_params["version"]
        token = request.headers.get("X-Shopify-Access-Token", "")
        if not hmac.compare_digest(token.encode(), served.shop.spec.token.encode()):
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": message}, 401)
        if version not in served.shop.spec.api_versions:
            return JSONResponse({"errors": "Not Found"}, 404)
        try:
            payload = json.loads(text)
        except ValueError:
            return JSONResponse({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        # In a thread of its own: a page of products must not hold up the other requests.
        answered = await asyncio.to_thread(
            answer, self._api(served, version), served.bucket, payload, throttle=_is(fault, Trouble.THROTTLE)
        )
        self._note(request, "graphql", answered.operation, answered.cost, throttled=answered.throttled)
        if _is(fault, Trouble.DROP):
            cut_connection(request)
        return JSONResponse(answered.body, headers={"X-Shopify-API-Version": version})

    def _api(self, served: _Served, version: str) -> Api:
        return Api(served.shop, served.bulk, frozenset(served.shop.spec.scopes), version, self._url_of(served.shop))

    def _url_of(self, shop: Shop) -> Any:
        def url_of(operation: BulkOperation) -> str:
            path = f"/{shop.spec.domain}/results/{operation.path.name}"
            return self.address + self._signer.sign(path, self._pace.url_seconds)

        return url_of

    async def _early(self, request: Request, fault: Fault | None) -> Response | None:
        """What is answered in place of an answer, if anything."""
        if fault is None:
            return None
        if fault.trouble is Trouble.SLOW:
            await asyncio.sleep(fault.seconds)
            return None
        if fault.trouble is Trouble.STATUS:
            headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
            return JSONResponse({"errors": _WORDS.get(fault.status, "Error")}, fault.status, headers=headers)
        if fault.trouble is Trouble.INTERNAL_ERROR:
            message = (
                "Internal error. Looks like something went wrong on our end.\nRequest ID: "
                "00000000-0000-0000-0000-000000000000 (include this in support requests)."
            )
            return JSONResponse({"errors": [{"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]})
        if fault.trouble is Trouble.RENAMED:
            # Another host by name, though the same machine: a client may follow it, or must not, as it sees.
            rest = request.url.path.split("/", 2)[2]
            return RedirectResponse(f"http://localhost:{self._port}/{fault.to}/{rest}", 301)
        return None

    async def _download(self, request: Request) -> Response:
        domain, name = request.path_params["domain"], request.path_params["name"]
        served = self._shops.get(domain)
        operation = served.bulk.by_name(name) if served else None
        query = request.query_params
        if operation is None:
            return PlainTextResponse("NoSuchKey", 404)
        fault = self.faults.next(DOWNLOAD_TROUBLES, domain, request.url.path)
        valid = self._signer.valid(request.url.path, query.get("expires", "0"), query.get("signature", ""))
        self._note(request, "download", request.headers.get("Range"), 0.0, throttled=False)
        if not valid or _is(fault, Trouble.URL_EXPIRED):
            return PlainTextResponse("<Error><Code>ExpiredToken</Code></Error>", 403)
        if fault is not None and fault.trouble is Trouble.DOWNLOAD_STATUS:
            return PlainTextResponse("", fault.status)
        cut = None
        if fault is not None and fault.trouble is Trouble.DROP_DOWNLOAD:
            cut = Cut(fault.share, lambda: close_connection(request))
        return serve(operation.path, request.headers.get("Range"), cut)

    async def _add_fault(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
            return JSONResponse({"status": "cleared"})
        try:
            options = await request.json()
            if "rate" in options:
                self.faults.random(options.get("seed", 0), options["rate"])
            else:
                self.faults.add(**options)
        except (ValueError, TypeError) as error:
            return JSONResponse({"error": str(error), "troubles": [str(one) for one in Trouble]}, 400)
        return JSONResponse({"status": "added"})

    async def _change(self, request: Request) -> Response:
        """Let something happen in a shop (see `changes`)."""
        served = self._shops.get(request.path_params["domain"])
        if served is None:
            return JSONResponse({"error": "There is no such shop.", "shops": self.domains}, 404)
        try:
            gid = await asyncio.to_thread(change, served.shop, await request.json())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"status": "done", "id": gid})

    def _note(self, request: Request, kind: str, operation: str | None, cost: float, *, throttled: bool) -> None:
        host = request.headers.get("Host", "")
        shop = request.path_params["domain"]
        with_token = "X-Shopify-Access-Token" in request.headers
        self.requests.append(Seen(time.time(), host, shop, kind, operation, cost, throttled, with_token))


_WORDS = {
    402: "Unavailable Shop",
    403: "Forbidden",
    404: "Not Found",
    423: "Locked",
    429: "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


def _is(fault: Fault | None, trouble: Trouble) -> bool:
    return fault is not None and fault.trouble is trouble
