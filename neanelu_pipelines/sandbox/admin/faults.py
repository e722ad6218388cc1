"""Faults on command: which request is troubled, how, and how often.

Belongs here: the register of troubles that are to come, and random ones by seed. Does not belong here: carrying them
out (`server`, `bulk`, `downloads`).
"""

import enum
import threading
from dataclasses import dataclass, field

from neanelu_pipelines.sandbox.pools import Dice


class Trouble(enum.StrEnum):
    """What goes wrong."""

    THROTTLE = "throttle"
    """A request is refused as throttled, whatever is in the bucket."""
    DROP = "drop"
    """The connection is cut before anything is answered; what was asked has been done."""
    STATUS = "status"
    """An HTTP status other than 200 (`status`, with `retry_after` seconds), before anything is done."""
    INTERNAL_ERROR = "internal_error"
    """INTERNAL_SERVER_ERROR as Shopify words it, in an HTTP 200."""
    SLOW = "slow"
    """The answer comes `seconds` later."""
    RENAMED = "renamed"
    """The shop redirects to another host (`to`, a domain)."""
    BULK_FAILED = "bulk_failed"
    """The operation ends FAILED; with `partial`, a share of the result stands under partialDataUrl, `seconds` later."""
    BULK_CANCELED = "bulk_canceled"
    """The operation ends CANCELED, with a url of what there was."""
    BULK_EXPIRED = "bulk_expired"
    """The operation ends EXPIRED."""
    TRUNCATED = "truncated"
    """The result breaks off at `share` of its bytes; the counters say all of it."""
    WRONG_COUNT = "wrong_count"
    """objectCount says one more than there is."""
    WRONG_SIZE = "wrong_size"
    """fileSize says one byte more than there is."""
    URL_EXPIRED = "url_expired"
    """The download is refused with 403 as if its url had expired."""
    DROP_DOWNLOAD = "drop_download"
    """The connection is cut at `share` of the bytes asked for."""
    DOWNLOAD_STATUS = "download_status"
    """The download is answered with `status`."""


REQUEST_TROUBLES = frozenset(
    {
        Trouble.THROTTLE,
        Trouble.DROP,
        Trouble.STATUS,
        Trouble.INTERNAL_ERROR,
        Trouble.SLOW,
        Trouble.RENAMED,
    }
)
BULK_TROUBLES = frozenset(
    {
        Trouble.BULK_FAILED,
        Trouble.BULK_CANCELED,
        Trouble.BULK_EXPIRED,
        Trouble.TRUNCATED,
        Trouble.WRONG_COUNT,
        Trouble.WRONG_SIZE,
    }
)
DOWNLOAD_TROUBLES = frozenset({Trouble.URL_EXPIRED, Trouble.DROP_DOWNLOAD, Trouble.DOWNLOAD_STATUS})


@dataclass
class Fault:
    """A trouble to come: it lets `after` matching requests pass and then troubles `times` of them.

    `shop` (a domain) and `matching` (a part of the request's text) limit which requests match; None matches all.
    """

    trouble: Trouble
    times: int = 1
    after: int = 0
    shop: str | None = None
    matching: str | None = None
    status: int = 500
    retry_after: float | None = None
    seconds: float = 0.0
    share: float = 0.5
    partial: bool = True
    to: str = ""
    happened: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Refuse what would break every request that meets it.

        Raises:
            ValueError, TypeError: a value is of another type, or out of its range.
        """
        _require_whole("times", self.times, 1)
        _require_whole("after", self.after, 0)
        _require_whole("status", self.status, 300, 599)
        _require_number("seconds", self.seconds, 3600)
        _require_number("share", self.share, 1)
        if self.retry_after is not None:
            _require_number("retry_after", self.retry_after, 86_400)
        for name, text in (("shop", self.shop or ""), ("matching", self.matching or ""), ("to", self.to)):
            if not isinstance(text, str):
                raise TypeError(f"{name} is a text, and {text!r} is none.")
        if not isinstance(self.partial, bool):
            raise TypeError(f"partial is true or false, and {self.partial!r} is neither.")


def _require_whole(name: str, value: object, least: int, most: int | None = None) -> None:
    if type(value) is not int or value < least or (most is not None and value > most):
        span = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} is a whole number {span}, and {value!r} is none.")


def _require_number(name: str, value: object, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{name} is a number from 0 to {most:,}, and {value!r} is none.")


class Faults:
    """The troubles of one sandbox."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._rate = 0.0
        self._dice = Dice("faults")
        self._random: tuple[Trouble, ...] = ()
        self.happened: list[Trouble] = []
        """What did happen, in order."""

    def add(
        self,
        trouble: Trouble | str,
        *,
        times: int = 1,
        after: int = 0,
        shop: str | None = None,
        matching: str | None = None,
        status: int = 500,
        retry_after: float | None = None,
        seconds: float = 0.0,
        share: float = 0.5,
        partial: bool = True,
        to: str = "",
    ) -> Fault:
        """Let a trouble come (see `Fault`); its `happened` counts along.

        Raises:
            ValueError, TypeError: there is no such trouble, or it cannot come so.
        """
        fault = Fault(Trouble(trouble), times, after, shop, matching, status, retry_after, seconds, share, partial, to)
        with self._lock:
            self._waiting.append(fault)
        return fault

    def random(self, seed: int, rate: float, troubles: tuple[Trouble, ...] | None = None) -> None:
        """From now on trouble a share `rate` of all requests, operations and downloads, by `seed`.

        By default with everything that a client may get over by itself: a renamed shop is not among them.

        Raises:
            ValueError: the seed is no whole number, or the rate is no share.
        """
        _require_whole("seed", seed, 0)
        _require_number("rate", rate, 1)
        with self._lock:
            self._dice = Dice("faults", seed)
            self._rate = rate
            self._random = troubles if troubles is not None else tuple(t for t in Trouble if t is not Trouble.RENAMED)

    def clear(self) -> None:
        """No more troubles."""
        with self._lock:
            self._waiting.clear()
            self._rate = 0.0

    def next(self, among: frozenset[Trouble], shop: str, text: str) -> Fault | None:
        """The trouble that this request, operation or download meets, if any."""
        with self._lock:
            found = self._planned(among, shop, text) or self._by_chance(among)
            if found is not None:
                found.happened += 1
                self.happened.append(found.trouble)
            return found

    def _planned(self, among: frozenset[Trouble], shop: str, text: str) -> Fault | None:
        for fault in self._waiting:
            if fault.trouble not in among or (fault.shop or shop) != shop or (fault.matching or "") not in text:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.remove(fault)
            return fault
        return None

    def _by_chance(self, among: frozenset[Trouble]) -> Fault | None:
        possible = [trouble for trouble in self._random if trouble in among]
        if not self._rate or not possible or not self._dice.chance(self._rate):
            return None
        trouble = self._dice.pick(possible)
        status = self._dice.pick((500, 502, 503, 429))
        share = self._dice.below(1000) / 1000
        retry_after = 0.1 if status == 429 else None  # noqa: PLR2004 - Too Many Requests
        return Fault(
            trouble, status=status, retry_after=retry_after, seconds=0.05, share=share, partial=self._dice.chance(0.5)
        )
