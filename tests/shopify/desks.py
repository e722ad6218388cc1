"""Desks with a shop of their own in the sandbox, and looking at what became of an export.

Belongs here: what tests of exports do and look at. Does not belong here: the desk itself (`bulk`), what is expected.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neanelu_pipelines.sandbox.admin.bulk import Pace as SandboxPace
from neanelu_pipelines.sandbox.admin.server import Sandbox
from neanelu_pipelines.shopify.replies import Reply
from tests.shopify.bulk import Desk

MakeDesk = Callable[..., tuple[Desk, Sandbox]]


def result_of(desk: Desk, run_id: object) -> tuple[Path, int, int, str]:
    ((path, size, rows, checksum),) = desk.rows(
        "SELECT file_path, bytes_size, rows_count, checksum FROM bulk_artifacts WHERE bulk_run_id = %s", run_id
    )
    return Path(path), size, rows, checksum


def operations(desk: Desk, sandbox: Sandbox) -> list[Any]:
    return sandbox._shops[desk.domain].bulk.every()


SLOW = SandboxPace(running=3600)


def finish(desk: Desk, sandbox: Sandbox) -> None:
    """Operations of a SLOW shop end now."""
    sandbox._shops[desk.domain].bulk.pace = SandboxPace()


class Between:
    """A client that does something before a document of that name is sent."""

    def __init__(self, client: Any, name: str, does: Callable[[], object]) -> None:
        self._client, self._name, self._does = client, name, does

    def execute(self, text: str, variables: Mapping[str, Any] | None = None, *, cost: float | None = None) -> Reply:
        if self._name in text:
            self._does()
        reply: Reply = self._client.execute(text, variables, cost=cost)
        return reply
