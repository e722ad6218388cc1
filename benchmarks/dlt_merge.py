"""dlt merging the same file into PostgreSQL with its CSV loader, one resource per node type.

Two contenders: `dlt` as it comes, which makes child tables of nested lists (tags, options), and `dlt-flat`, which is
told to leave them JSON columns, as the mirror does. Telemetry is off, the working folder is a temporary one. Its tables
carry no indexes but its own and hold no relations between products, variants and media.

Belongs here: those contenders. Does not belong here: measuring it (`measure`), the file (`neanelu_pipelines.sandbox`).
"""

import json
import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Read by dlt when it is imported.
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")

import dlt
from dlt.destinations.impl.postgres.configuration import PostgresCredentials
from psycopg import conninfo

from benchmarks.contender import Contender, Result, Shop
from neanelu_pipelines.database.connect import Database, Role

_DATASET = "dlt_bench"
_BATCH = 1000
_RESOURCES = {
    "products": ("Product",),
    "variants": ("ProductVariant",),
    "media": ("MediaImage", "Video", "ExternalVideo", "Model3d"),
    "metafields": ("Metafield",),
}


def run(database: Database, shop: Shop, path: Path) -> Result:  # noqa: ARG001 - every contender is given the shop
    """Merge the file into tables of dlt's own making, as dlt makes them."""
    return _run(database, path, max_nesting=None)


def run_flat(database: Database, shop: Shop, path: Path) -> Result:  # noqa: ARG001 - every contender is given the shop
    """Merge the file into one table per node type."""
    return _run(database, path, max_nesting=0)


def _run(database: Database, path: Path, *, max_nesting: int | None) -> Result:
    logging.getLogger("dlt").setLevel(logging.CRITICAL)
    started = time.perf_counter()
    lines: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="dlt-bench-") as folder:
        pipeline = dlt.pipeline(
            pipeline_name="neanelu_bench",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(credentials=_login(database)),
            dataset_name=_DATASET,
        )
        resources = [_resource(name, path, lines, max_nesting) for name in _RESOURCES]
        pipeline.run(resources, loader_file_format="csv").raise_on_failed_jobs()
    return Result(time.perf_counter() - started, path.stat().st_size, lines.total())


def _resource(name: str, path: Path, lines: Counter[str], max_nesting: int | None) -> Any:
    """One pass over the file for one table; lines of other types are passed over unparsed."""
    nesting: dict[str, Any] = {} if max_nesting is None else {"max_table_nesting": max_nesting}
    return dlt.resource(
        _nodes(path, _RESOURCES[name], lines),
        name=name,
        write_disposition="merge",
        primary_key=("parent_id", "id"),
        **nesting,
    )


def _nodes(path: Path, types: tuple[str, ...], lines: Counter[str]) -> Iterator[list[dict[str, Any]]]:
    prefixes = tuple(f'{{"__typename":"{node}",'.encode() for node in types)
    batch: list[dict[str, Any]] = []
    with path.open("rb") as stream:
        for line in stream:
            if line.startswith(prefixes):
                node = json.loads(line)
                node["parent_id"] = node.pop("__parentId", "")
                lines[node["__typename"]] += 1
                batch.append(node)
            if len(batch) >= _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _login(database: Database) -> PostgresCredentials:
    """The admin's login in dlt's words; as parts, so that no password has to survive being written into a URL."""
    parts = conninfo.conninfo_to_dict(database.urls[Role.ADMIN])
    credentials = PostgresCredentials()
    credentials.host, credentials.port = str(parts["host"]), int(parts.get("port") or 5432)
    credentials.username, credentials.password = str(parts["user"]), str(parts.get("password") or "")
    credentials.database = str(parts["dbname"])
    return credentials


def prepare(database: Database) -> None:
    """Nothing: dlt makes its own schema."""


_LIBRARY = f"dlt {dlt.__version__} merging into its own tables, CSV loader"
DLT = Contender("dlt", f"{_LIBRARY}, as it comes", run, prepare)
DLT_FLAT = Contender("dlt-flat", f"{_LIBRARY}, nested lists as JSON", run_flat, prepare)
