"""One resource of the big shop: exported and loaded, each in a process of its own, with its time and its memory.

Belongs here: both ends of such a process. Does not belong here: which resources there are, what is made of the figures
(`shop`).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.worker import ContenderFailedError, peak_rss
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import ledger, river
from neanelu_pipelines.mirror.asking import export_query
from neanelu_pipelines.sandbox.admin import Sandbox
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.access import Secret, ShopAccess
from neanelu_pipelines.shopify.bulk import exports
from neanelu_pipelines.shopify.bulk.states import Pace
from neanelu_pipelines.shopify.client import AdminClient

_ROOT = Path(__file__).resolve().parent.parent
_MB = 1_000_000
_LONG = 3600.0


def exported(
    database: Database, shop_id: UUID, domain: str, sandbox: Sandbox | None, folder: Path, resource: str
) -> dict[str, Any]:
    """The resource's file in `folder`, and what it took; without a sandbox it is there already."""
    figures = folder / f"{resource}.json"
    if sandbox is not None and not figures.exists():
        access = {"shop_id": str(shop_id), "domain": domain, "token": sandbox.token(domain)}
        job = {"do": "export", "resource": resource, "folder": str(folder), "endpoint": sandbox.url_template, **access}
        figures.write_text(json.dumps(_in_a_process(database, job)), encoding="utf-8")
    found: dict[str, Any] = json.loads(figures.read_text(encoding="utf-8"))
    return found


def loaded(database: Database, domain: str, resource: str, path: Path) -> dict[str, Any]:
    """What it takes to load the file."""
    return _in_a_process(database, {"do": "load", "resource": resource, "path": str(path), "domain": domain})


def _in_a_process(database: Database, job: dict[str, Any]) -> dict[str, Any]:
    search = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.shop_load"],
        # Through a pipe: the job holds passwords and a token.
        input=json.dumps(job | {"urls": {role.value: url for role, url in database.urls.items()}}),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": search},
    )
    if done.returncode:
        raise ContenderFailedError(f"{job['do']} of {job['resource']} failed:\n{done.stderr.strip()[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def _export(database: Database, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for the sandbox, then download; the bytes are told apart by the ledger's step."""
    shop_id, resource = UUID(job["shop_id"]), job["resource"]
    started = time.perf_counter()
    export = exports.begin(database, shop_id=shop_id, resource=resource, query=export_query(resource))
    access = ShopAccess(shop_id, job["domain"], "2025-10", Secret(job["token"]))
    with AdminClient(access, database=database, endpoint=job["endpoint"]) as client:
        outcome = exports.advance(
            database,
            client,
            export,
            artifact_root=job["folder"],
            this_machine=True,
            wait=_LONG,
            pace=Pace(first_poll=0.1, longest_poll=1.0),
        )
    if outcome.status != "ready":
        raise RuntimeError(f"The export of {resource} is {outcome.status}: {outcome.message}")
    took = time.perf_counter() - started
    load = river.take_load(database, export, dagster_run_id="big", first_run_id="big")
    assert load is not None  # noqa: S101 - nobody else is there
    with ledger.opened(database) as book:
        timed = {"run_id": load.run_id, "step": "artifact"}
        row = book.execute(statement("benchmarks/step_seconds"), timed).fetchone()
    downloaded = row[0] if row else 0.0
    river.fail(database, load, "Only the file was wanted.")
    path = Path(job["folder"]) / f"{resource}.jsonl"
    Path(load.artifact_path).rename(path)
    return {
        "path": str(path),
        "mb": round(load.bytes / _MB, 1),
        "waited_seconds": round(took - downloaded, 1),
        "downloaded_seconds": round(downloaded, 2),
        "export_peak_mb": round(peak_rss() / _MB),
    }


def _load(database: Database, job: dict[str, Any]) -> dict[str, Any]:
    """The steps of a load, each timed."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="neanelu-bench-") as folder:
        settings = Settings(artifact_url=folder)
        begun = time.perf_counter()
        load = river.open_load(
            database, settings, shop_domain=job["domain"], resource=job["resource"], source=job["path"]
        )
        seconds["store"] = time.perf_counter() - begun
        begun = time.perf_counter()
        report = river.stage(database, settings, load)
        checks = river.check(database, settings, load)
        seconds["stage"] = time.perf_counter() - begun
        begun = time.perf_counter()
        tables = river.merge(database, settings, load)
        seconds["merge"] = time.perf_counter() - begun
    if not all(check.passed for check in checks) or report.total.rejected:
        raise RuntimeError(f"{job['resource']}: {[check.description for check in checks if not check.passed]}")
    return {
        "lines": report.total.read,
        "rows": {table: counts.inserted for table, counts in tables.items()},
        "merge_seconds_by_table": {table: counts.seconds for table, counts in tables.items()},
        **{f"{name}_seconds": round(value, 2) for name, value in seconds.items()},
        "peak_mb": round(peak_rss() / _MB),
    }


def _main() -> None:
    job = json.load(sys.stdin)
    database = Database({Role(role): url for role, url in job["urls"].items()})
    print(json.dumps({"export": _export, "load": _load}[job["do"]](database, job)))


if __name__ == "__main__":
    _main()
