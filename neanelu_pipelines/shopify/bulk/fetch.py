"""Fetching a result from its signed url, piece by piece, from where the pieces end.

Belongs here: which urls are fetched at all, Range requests, what an answer means for the fetch. The url is a secret
for its seven days: no error, log or ledger shows more of it than its host. Does not belong here: keeping pieces
(`pieces`), what the bytes should be (`verify`).
"""

import ipaddress
import re
import time
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit

import httpx

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.bulk.pieces import Shelf
from neanelu_pipelines.shopify.endpoint import is_this_machine
from neanelu_pipelines.shopify.faults import Unavailable

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_TRIES = 5
_FIRST_PAUSE = 0.5
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")
_OK, _PART, _RANGE_NOT_SATISFIABLE, _TOO_MANY, _SERVER_ERRORS = 200, 206, 416, 429, 500
_REDIRECTS = range(300, 400)


class ForbiddenUrlError(NeaneluError):
    """A url that is not fetched, whoever gave it."""


class UrlRefusedError(Exception):
    """The url is not valid (any more): the operation gives another."""


class ResultTooLargeError(NeaneluError):
    """The result is larger than a result may be."""


def require_fetchable(url: str, *, this_machine: bool) -> None:
    """Refuse what is neither https to a public host nor, where the API itself is on this machine, on this machine.

    Raises:
        ForbiddenUrlError: it says why, without the url.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ForbiddenUrlError("The url of the result is none.") from None
    if not host or parts.username is not None:
        raise ForbiddenUrlError("The url of the result has no host, or has a login.")
    if is_this_machine(url):
        if this_machine and parts.scheme in {"http", "https"}:
            return
        raise ForbiddenUrlError("The url of the result points to this machine, and the API is not on it.")
    if parts.scheme != "https":
        raise ForbiddenUrlError(f"The url of the result is not https ({parts.scheme}://{host}).")
    if not _is_public(host):
        raise ForbiddenUrlError(f"The url of the result points into a private network ({host}).")


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))


class _SignedUrl(httpx.URL):
    """A url that is sent whole and shown without its query: httpx logs every url that it asks for."""

    def __str__(self) -> str:
        return super().__str__().partition("?")[0]

    __repr__ = __str__


class Fetcher:
    """Fetches results; a context manager. Sends no token, follows no redirect, asks for no compression."""

    def __init__(
        self,
        *,
        this_machine: bool,
        most_bytes: int,
        piece_bytes: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare.

        Args:
            this_machine: whether the API is on this machine, so that results may be, too.
            most_bytes: a larger result is not fetched.
            piece_bytes: the size of a piece.
            sleep: how to wait.
        """
        self._this_machine = this_machine
        self._most_bytes = most_bytes
        self._piece_bytes = piece_bytes
        self._sleep = sleep

    def fetch(self, url: str, shelf: Shelf, size: int | None) -> None:
        """Bring in what the shelf does not have yet, until the result ends.

        Args:
            url: the result's.
            shelf: where its pieces are.
            size: its bytes, if the operation says; nothing is asked for beyond.

        Raises:
            ForbiddenUrlError, UrlRefusedError, ResultTooLargeError: as they say.
            Unavailable: the connection was lost again and again; what arrived is kept.
        """
        require_fetchable(url, this_machine=self._this_machine)
        # A proxy of the environment has no business with what is on this machine.
        with httpx.Client(follow_redirects=False, timeout=_TIMEOUT, trust_env=not self._this_machine) as http:
            fruitless = 0
            while fruitless < _TRIES:
                begin = shelf.end()
                if size is not None and begin >= size:
                    return
                if self._once(http, url, shelf, begin, size) and (size is None or shelf.end() == begin):
                    return
                fruitless = 0 if shelf.end() > begin else fruitless + 1
                if fruitless:
                    self._sleep(_FIRST_PAUSE * 2 ** (fruitless - 1))
        host = urlsplit(url).hostname
        raise Unavailable(f"The result cannot be fetched from {host}: the connection is lost each time.")

    def _once(self, http: httpx.Client, url: str, shelf: Shelf, begin: int, size: int | None) -> bool:
        """One request from `begin` on; whether its answer came to its end."""
        try:
            request = http.build_request(
                "GET", url, headers={"Accept-Encoding": "identity", "Range": f"bytes={begin}-"}
            )
            request.url = _SignedUrl(url)
            response = http.send(request, stream=True)
            with closing(response):
                status = response.status_code
                if status == _RANGE_NOT_SATISFIABLE:
                    return True
                if not _is_content(response, begin):
                    return False
                if status == _OK and begin:  # The whole once more, because ranges are not known there.
                    shelf.clear()
                    begin = 0
                self._receive(response, shelf, begin, size)
        except httpx.InvalidURL:
            raise ForbiddenUrlError("The url of the result is none.") from None
        except httpx.HTTPError:  # It holds the url. What came in before it is kept.
            return False
        return True

    def _receive(self, response: httpx.Response, shelf: Shelf, begin: int, size: int | None) -> None:
        """Take the answer's bytes, and at most one more than there should be: then it is not the result."""
        piece = bytearray()
        try:
            for chunk in response.iter_raw():
                piece += chunk
                if size is not None and begin + len(piece) > size:
                    del piece[size + 1 - begin :]
                    return
                if begin + len(piece) > self._most_bytes:
                    raise ResultTooLargeError(f"The result is larger than {self._most_bytes:,} bytes.")
                if len(piece) >= self._piece_bytes:
                    shelf.put(begin, bytes(piece))
                    begin += len(piece)
                    piece.clear()
        finally:
            if piece:
                shelf.put(begin, bytes(piece))


def _is_content(response: httpx.Response, begin: int) -> bool:
    """Whether the answer holds the bytes from `begin` on, or all; False if it is worth asking again.

    Raises:
        UrlRefusedError, ForbiddenUrlError: asking again will not help.
    """
    status = response.status_code
    if status == _OK:
        return True
    if status == _PART:
        found = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        return found is not None and int(found[1]) == begin
    if status in _REDIRECTS:
        raise ForbiddenUrlError("The url of the result redirects elsewhere; it was not followed.")
    if status == _TOO_MANY or status >= _SERVER_ERRORS:
        return False
    raise UrlRefusedError(f"The url of the result was refused ({status}).")
