"""Signed download urls of bulk results: made, checked, and served with Range.

Belongs here: signatures, expiry, ranges. Does not belong here: what is in a file (`bulk_result`).
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import PlainTextResponse, Response, StreamingResponse

_BLOCK = 256 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Cut:
    """Where a download breaks off: at `share` of its bytes, by calling `close`."""

    share: float
    close: Callable[[], None]


class Signer:
    """Signs urls with a secret of its own."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def sign(self, path: str, seconds: float) -> str:
        """`path` with its signature; it holds for so many seconds."""
        expires = f"{time.time() + seconds:.3f}"
        return f"{path}?expires={expires}&signature={self._signature(path, expires)}"

    def valid(self, path: str, expires: str, signature: str) -> bool:
        """Whether the signature is ours and still holds."""
        if not hmac.compare_digest(self._signature(path, expires), signature):
            return False
        return time.time() < float(expires)

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._secret, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()


def serve(path: Path, range_header: str | None, cut: Cut | None = None) -> Response:
    """The file, or the part of it that is asked for; with `cut` the connection ends early."""
    size = path.stat().st_size
    start, end, status = 0, size, 200
    headers = {"Accept-Ranges": "bytes", "Content-Type": "application/jsonl"}
    match = _RANGE.fullmatch(range_header or "")
    if match and (match[1] or match[2]):
        start = int(match[1]) if match[1] else max(0, size - int(match[2]))
        end = min(size, int(match[2]) + 1) if match[1] and match[2] else size
        if start >= size or start >= end:
            return PlainTextResponse("", 416, headers={"Content-Range": f"bytes */{size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(_blocks(path, start, end, cut), status, headers=headers)


async def _blocks(path: Path, start: int, end: int, cut: Cut | None) -> AsyncIterator[bytes]:
    left = end - start if cut is None else int((end - start) * cut.share)
    with path.open("rb") as stream:
        stream.seek(start)
        while left > 0:
            block = stream.read(min(_BLOCK, left))
            if not block:
                break
            left -= len(block)
            yield block
    if cut is not None:
        # What was written must leave before the connection ends.
        await asyncio.sleep(0.02)
        cut.close()
