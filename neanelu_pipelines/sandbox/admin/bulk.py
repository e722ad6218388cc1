"""Bulk operations: started, running, ended one way or another, and asked about.

Belongs here: an operation's life and what the API says of it. Does not belong here: the result's lines
(`bulk_result`), serving them (`downloads`).
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.admin import bulk_result
from neanelu_pipelines.sandbox.admin.bulk_result import Counted
from neanelu_pipelines.sandbox.admin.bulk_rules import BulkQueryError, checked, needed_scopes
from neanelu_pipelines.sandbox.admin.document import FIRST_2026, Operation
from neanelu_pipelines.sandbox.admin.faults import BULK_TROUBLES, Fault, Faults, Trouble
from neanelu_pipelines.sandbox.admin.sight import seen
from neanelu_pipelines.sandbox.shop.hooks import event
from neanelu_pipelines.sandbox.shop.overlay import Node, stamp
from neanelu_pipelines.sandbox.shop.rest import moment
from neanelu_pipelines.sandbox.shop.world import Shop

_AT_ONCE_2025 = 1
_AT_ONCE_2026 = 5
_TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELED", "EXPIRED"})


@dataclass(frozen=True)
class Pace:
    """How long a bulk operation stays in each state at least, in seconds, and how long its urls hold."""

    created: float = 0.0
    running: float = 0.0
    canceling: float = 0.0
    url_seconds: float = 7 * 86_400.0


@dataclass
class BulkOperation:
    """One operation; `moment` is the shop's clock, `started` the process's."""

    number: int
    query: str
    api_version: str
    path: Path
    moment: int
    started: float
    fault: Fault | None
    denied: bool
    counted: Counted = field(default_factory=Counted)
    stop: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    canceled_at: float | None = None
    status: str = "CREATED"
    completed: int | None = None
    ended: float = 0.0
    crashed: bool = False

    @property
    def gid(self) -> str:
        """The operation's id."""
        return ids.gid("BulkOperation", self.number)

    @property
    def trouble(self) -> Trouble | None:
        """What goes wrong with it."""
        return self.fault.trouble if self.fault else None


class BulkOperations:
    """The operations of one shop."""

    def __init__(self, shop: Shop, folder: Path, pace: Pace, faults: Faults) -> None:
        self._shop = shop
        self._folder = folder
        self.pace = pace
        self._faults = faults
        self._lock = threading.RLock()
        self._all: dict[str, BulkOperation] = {}
        self._closing = threading.Event()

    def run(self, query: str, api_version: str, *, grouped: bool, scopes: frozenset[str]) -> Node:
        """The payload of `bulkOperationRunQuery`."""
        try:
            operation = checked(query, api_version)
        except BulkQueryError as error:
            return _refused(["query"], str(error), "INVALID")
        with self._lock:
            running = [one.gid for one in self._all.values() if self._settle(one) not in _TERMINAL]
            if len(running) >= (_AT_ONCE_2025 if api_version < FIRST_2026 else _AT_ONCE_2026):
                message = "A bulk query operation for this app and shop is already in progress: "
                return _refused(None, f"{message}{', '.join(running)}.", "OPERATION_IN_PROGRESS")
            started = self._start(query, operation, api_version, scopes)
        arguments = (started, operation, scopes)
        threading.Thread(
            target=self._write, args=arguments, kwargs={"grouped": grouped}, daemon=True, name="sandbox-bulk"
        ).start()
        return {"bulkOperation": self._fresh(started), "userErrors": []}

    def _start(self, query: str, operation: Operation, api_version: str, scopes: frozenset[str]) -> BulkOperation:
        number = self._shop.spec.first + len(self._all)
        started = BulkOperation(
            number=number,
            query=query,
            api_version=api_version,
            path=self._folder / f"{number}.jsonl",
            moment=self._shop.overlay.now(),
            started=time.monotonic(),
            fault=self._faults.next(BULK_TROUBLES, self._shop.spec.domain, query),
            denied=not needed_scopes(operation.selection) <= scopes,
        )
        self._all[started.gid] = started
        return started

    def _write(self, started: BulkOperation, operation: Operation, scopes: frozenset[str], *, grouped: bool) -> None:
        try:
            if started.denied:
                started.path.touch()
            else:
                rows_of = lambda part: seen(self._shop.rows(part.field.name, part.arguments), scopes)  # noqa: E731
                bulk_result.write(started.path, operation, rows_of, started.counted, started.stop, grouped=grouped)
        except Exception:
            started.crashed = True
            raise
        finally:
            started.done.set()
            self._watch(started)

    def _watch(self, started: BulkOperation) -> None:
        """Tell whoever wants to know when the operation ends, also if nobody polls."""
        while self._settle(started) not in _TERMINAL:
            if self._closing.wait(timeout=0.02):
                return
        moments = {"created_at": moment(stamp(started.moment)), "completed_at": moment(stamp(started.completed or 0))}
        error_code = "access_denied" if started.denied else "internal_server_error"
        body = {
            "admin_graphql_api_id": started.gid,
            **moments,
            "error_code": error_code if started.status == "FAILED" else None,
            "status": started.status.lower(),
            "type": "query",
        }
        self._shop.announce(event("bulk_operations/finish", body))

    def _settle(self, one: BulkOperation) -> str:
        """The operation's state now."""
        with self._lock:
            if one.status in _TERMINAL:
                return one.status
            now = time.monotonic()
            if one.canceled_at is not None:
                over = now - one.canceled_at >= self.pace.canceling and one.done.is_set()
                self._set(one, "CANCELED" if over else "CANCELING")
            elif now - one.started < self.pace.created:
                one.status = "CREATED"
            elif now - one.started < self.pace.created + self.pace.running or not one.done.is_set():
                one.status = "RUNNING"
            else:
                self._set(one, _ending(one))
            return one.status

    def _set(self, one: BulkOperation, status: str) -> None:
        one.status = status
        if status in _TERMINAL:
            one.completed = self._shop.overlay.now()
            one.ended = time.monotonic()
            _damage(one)

    def stop(self) -> None:
        """Let whatever is being written end."""
        self._closing.set()
        for one in self.every():
            one.stop.set()
            one.done.wait(timeout=5)

    def find(self, gid: str) -> BulkOperation | None:
        """The operation with this id."""
        with self._lock:
            return self._all.get(gid)

    def by_name(self, name: str) -> BulkOperation | None:
        """The operation whose file has this name."""
        with self._lock:
            return next((one for one in self._all.values() if one.path.name == name), None)

    def newest(self) -> BulkOperation | None:
        """The operation started last."""
        with self._lock:
            return next(reversed(self._all.values()), None)

    def every(self) -> list[BulkOperation]:
        """All operations, oldest first."""
        with self._lock:
            return list(self._all.values())

    def cancel(self, gid: str) -> Node:
        """The payload of `bulkOperationCancel`."""
        with self._lock:
            one = self._all.get(gid)
            if one is None:
                message = "Bulk operation does not exist"
                return {"bulkOperation": None, "userErrors": [{"field": ["id"], "message": message}]}
            if self._settle(one) in _TERMINAL:
                message = f"A bulk operation cannot be canceled when it is {one.status.lower()}"
                return {"bulkOperation": self.shown(one, None), "userErrors": [{"field": None, "message": message}]}
            one.canceled_at = one.canceled_at or time.monotonic()
            one.stop.set()
            one.status = "CANCELING"
            return {"bulkOperation": self._fresh(one), "userErrors": []}

    def shown(self, one: BulkOperation, url_of: Callable[[BulkOperation], str] | None) -> Node:
        """What the API says of an operation; `url_of` makes a fresh download url."""
        status = self._settle(one)
        node = self._fresh(one)
        counted, trouble = one.counted, one.trouble
        ended = status in _TERMINAL
        node |= {
            "status": status,
            "completedAt": stamp(one.completed) if one.completed is not None and status != "CANCELED" else None,
            "objectCount": str(counted.objects + (ended and trouble is Trouble.WRONG_COUNT)),
            "rootObjectCount": str(counted.roots),
        }
        if status == "FAILED":
            node["errorCode"] = "ACCESS_DENIED" if one.denied else "INTERNAL_SERVER_ERROR"
        if url_of is None or not ended or not counted.bytes:
            return node
        if status == "COMPLETED" or trouble is Trouble.BULK_CANCELED:
            node["url"] = url_of(one)
            node["fileSize"] = str(counted.bytes + (trouble is Trouble.WRONG_SIZE))
        elif status == "FAILED" and _has_partial(one):
            node["partialDataUrl"] = url_of(one)
        return node

    @staticmethod
    def _fresh(one: BulkOperation) -> Node:
        return {
            "__typename": "BulkOperation",
            "id": one.gid,
            "status": one.status,
            "type": "QUERY",
            "errorCode": None,
            "createdAt": stamp(one.moment),
            "completedAt": None,
            "objectCount": "0",
            "rootObjectCount": "0",
            "fileSize": None,
            "url": None,
            "partialDataUrl": None,
            "query": one.query,
        }


def _has_partial(one: BulkOperation) -> bool:
    """Whether what there is of a failed operation can be had by now."""
    fault = one.fault
    return fault is not None and fault.partial and time.monotonic() - one.ended >= fault.seconds


def _ending(one: BulkOperation) -> str:
    if one.denied or one.crashed or one.trouble is Trouble.BULK_FAILED:
        return "FAILED"
    if one.trouble is Trouble.BULK_CANCELED:
        return "CANCELED"
    return "EXPIRED" if one.trouble is Trouble.BULK_EXPIRED else "COMPLETED"


def _damage(one: BulkOperation) -> None:
    """What a fault does to the file once it is written."""
    if one.fault is None or one.trouble not in {Trouble.TRUNCATED, Trouble.BULK_FAILED, Trouble.BULK_CANCELED}:
        return
    data_left = int(one.counted.bytes * one.fault.share)
    if one.trouble is not Trouble.TRUNCATED:
        # What there is of a failed operation is whole lines.
        with one.path.open("rb") as stream:
            data_left = stream.read(data_left).rfind(b"\n") + 1
    os.truncate(one.path, data_left)


def _refused(field_path: list[str] | None, message: str, code: str) -> dict[str, Any]:
    return {"bulkOperation": None, "userErrors": [{"field": field_path, "message": message, "code": code}]}
