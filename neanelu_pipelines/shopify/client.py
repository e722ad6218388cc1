"""The Admin API's client: one request at a time, paced, tried again where that can help.

Belongs here: sending, waiting, trying again. Does not belong here: what an answer means (`replies`), points (`pacing`),
whose token it is (`access`).

Nothing that is raised or logged here holds the token: errors of the HTTP library, which carry the request and its
headers, are neither passed on nor chained.
"""

import json
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.settings import Settings, settings
from neanelu_pipelines.shopify.access import ShopAccess
from neanelu_pipelines.shopify.endpoint import endpoint_of, is_this_machine
from neanelu_pipelines.shopify.faults import (
    Refused,
    ReplyTooLarge,
    ShopifyFault,
    Throttled,
    TooManyRequests,
    Transient,
    Unavailable,
)
from neanelu_pipelines.shopify.pacing import Pacer, Reservation
from neanelu_pipelines.shopify.queries import Query, likely_cost, parsed
from neanelu_pipelines.shopify.replies import Reply, read_reply

_CONNECT_SECONDS = 10.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_NO_TOKEN = b"[token]"
_ENCODINGS = frozenset({"", "identity", "gzip"})
_JITTER = 0.05
_random = secrets.SystemRandom()


@dataclass(frozen=True)
class Patience:
    """How long a request is worth: tries, seconds of waiting in all, seconds of one try, bytes of a reply."""

    tries: int
    max_wait: float
    timeout: float
    max_reply_bytes: int

    @classmethod
    def from_settings(cls, given: Settings) -> "Patience":
        """As the settings say."""
        return cls(given.shopify_tries, given.shopify_max_wait, given.shopify_timeout, given.shopify_max_reply_bytes)


class AdminClient:
    """Asks one shop. A context manager, for one thread; any number of processes may ask the same shop."""

    def __init__(
        self,
        access: ShopAccess,
        *,
        database: Database | None,
        endpoint: str | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            access: the shop and its token.
            database: where the shop's points are shared and costs are recorded; None only for a shop that is not in it
                yet. Then throttling is waited out, not avoided.
            endpoint: the API's address, with {domain} and {version}; by default the setting's.
            patience: by default the settings'.
            sleep: how to wait.

        Raises:
            EndpointError: the token may not be sent to that address.
        """
        self._access = access
        self._endpoint = endpoint_of(endpoint or settings().shopify_url, access)
        self._patience = patience or Patience.from_settings(settings())
        self._sleep = sleep
        self._pacer = Pacer(database, access.shop_id) if database is not None else None
        self._learned: dict[object, float] = {}
        self._http = httpx.Client(
            follow_redirects=False,
            timeout=httpx.Timeout(self._patience.timeout, connect=min(_CONNECT_SECONDS, self._patience.timeout)),
            # A proxy of the environment must not see what is for this machine.
            trust_env=not is_this_machine(self._endpoint),
            verify=_trusted(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AdminClient({self._access.domain})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        if self._pacer is not None:
            self._pacer.close()

    def execute(self, document: str, variables: Mapping[str, Any] | None = None, *, cost: float | None = None) -> Reply:
        """Send a document with one operation and return its reply.

        Waits for the shop's points before each try, and tries again what is transient. A mutation is not sent again
        where it may have been carried out.

        Args:
            document: the GraphQL.
            variables: its variables.
            cost: the `requestedQueryCost`, in points, where the caller knows it; otherwise it is estimated, and learned
                from the first reply.

        Raises:
            Transient: it did not work within the patience; later it may.
            Permanent: it cannot work like this.
            psycopg.OperationalError: the database cannot be reached.
        """
        query = parsed(document)
        given = dict(variables or {})
        key = (query.fingerprint, *sorted((name, value) for name, value in given.items() if isinstance(value, int)))
        points = cost or self._learned.get(key) or likely_cost(query, given)
        left = self._patience.max_wait
        for attempt in range(1, self._patience.tries + 1):
            reservation = self._reserve(points, left)
            left -= reservation.wait
            try:
                reply = self._try(query, given, reservation)
            except Transient as fault:
                if not _worth_another(fault, query) or attempt == self._patience.tries:
                    raise
                points = (fault.cost.requested if fault.cost else None) or points
                pause = self._pause(fault, attempt)
                if pause > left:
                    raise
                left -= pause
                self._sleep(pause)
            else:
                if reply.cost is not None and reply.cost.requested:
                    self._learned[key] = reply.cost.requested
                return reply
        raise AssertionError("the last try either returns or raises")

    def _reserve(self, points: float, left: float) -> Reservation:
        if self._pacer is None:
            return Reservation(points, 0.0, granted=True)
        reservation = self._pacer.reserve(points, max_wait=left)
        if not reservation.granted:
            raise Throttled(
                f"{self._access.domain} has no points left for {reservation.wait:.0f} s, longer than a request may "
                "still wait (NEANELU_SHOPIFY_MAX_WAIT). Others are asking the same shop.",
                retry_after=reservation.wait,
            )
        if reservation.wait > 0:
            self._sleep(_with_jitter(reservation.wait))
        return reservation

    def _try(self, query: Query, variables: Mapping[str, Any], reservation: Reservation) -> Reply:
        started = time.monotonic()
        reply: Reply | None = None
        fault: ShopifyFault | None = None
        try:
            reply = self._send(query, variables)
        except ShopifyFault as found:
            fault = found
        if self._pacer is not None:
            cost = reply.cost if reply is not None else fault.cost if fault is not None else None
            self._pacer.settle(reservation, query, time.monotonic() - started, cost, fault)
        if fault is not None:
            raise fault
        assert reply is not None  # noqa: S101 - for the type checker: one of the two is there
        return reply

    def _send(self, query: Query, variables: Mapping[str, Any]) -> Reply:
        body = json.dumps({"query": query.text, "variables": dict(variables)}).encode()
        token = self._access.token.get_secret_value()
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "Content-Type": "application/json",
            "X-Shopify-Access-Token": token,
        }
        fault: ShopifyFault | None = None
        deadline = time.monotonic() + self._patience.timeout
        try:
            with self._http.stream("POST", self._endpoint, content=body, headers=headers) as response:
                received = self._receive(response, deadline)
        except httpx.HTTPError as error:
            fault = _network_fault(error, self._access.domain)
        if fault is not None:
            raise fault
        # Whatever stands at the other end may say back what it was sent.
        said = [(name, value.replace(token.encode(), _NO_TOKEN)) for name, value in response.headers.raw]
        clean = _without_token(received, token)
        return read_reply(response.status_code, httpx.Headers(said), clean, api_version=self._access.api_version)

    def _receive(self, response: httpx.Response, deadline: float) -> bytes:
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in _ENCODINGS:
            # A few bytes that are packed twice unfold to any size before they can be counted.
            raise Unavailable(f"{self._access.domain} answered in an encoding that it was not asked for.")
        received = bytearray()
        for chunk in response.iter_bytes():
            received += chunk
            if len(received) > self._patience.max_reply_bytes:
                raise ReplyTooLarge(
                    f"{self._access.domain} answered with more than {self._patience.max_reply_bytes} bytes "
                    "(NEANELU_SHOPIFY_MAX_REPLY_BYTES). Ask for less at a time."
                )
            if time.monotonic() > deadline:
                raise Unavailable(f"{self._access.domain} did not end its reply in {self._patience.timeout:.0f} s.")
        return bytes(received)

    def _pause(self, fault: Transient, attempt: int) -> float:
        """Seconds before the next try; with a pacer the bucket knows the wait of a throttled request."""
        if isinstance(fault, (Throttled, TooManyRequests)) and self._pacer is not None:
            return 0.0
        grown = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1))
        return _with_jitter(grown if fault.retry_after is None else fault.retry_after)


def _without_token(body: bytes, token: str) -> bytes:
    """The body without the token, as it stands or written with JSON's escapes."""
    clean = body.replace(token.encode(), _NO_TOKEN)
    if b"\\" not in clean:
        return clean
    try:
        read = json.dumps(json.loads(clean), ensure_ascii=False)
    except (ValueError, RecursionError):
        return clean
    return read.replace(token, _NO_TOKEN.decode()).encode(errors="replace") if token in read else clean


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts (or SSL_CERT_FILE's); reading them takes longer than a request."""
    return httpx.create_ssl_context()


def _worth_another(fault: Transient, query: Query) -> bool:
    """Not for a mutation that may have been carried out: it would be carried out twice."""
    return not (query.is_mutation and isinstance(fault, Unavailable) and fault.sent)


def _with_jitter(seconds: float) -> float:
    """A little more, never less, so that those who wait alike do not come back together."""
    return seconds * (1 + _random.uniform(0, _JITTER)) + _random.uniform(0, _JITTER)


def _network_fault(error: httpx.HTTPError, domain: str) -> ShopifyFault:
    """The HTTP library's error in our words; of its own only what cannot hold a header."""
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Refused(
            f"{domain} shows no certificate that this machine trusts; nothing was sent. Something in between answers, "
            "or this machine lacks its authority's certificate (SSL_CERT_FILE)."
        )
    never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError))
    if isinstance(error, httpx.TimeoutException):
        return Unavailable(f"{domain} did not answer in time ({type(error).__name__}).", sent=not never_sent)
    if never_sent:
        return Unavailable(f"{domain} cannot be reached: {error}", sent=False)
    return Unavailable(f"The connection to {domain} was lost ({type(error).__name__}).")
