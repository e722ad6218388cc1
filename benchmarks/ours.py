"""Our whole load, as `neanelu load` does it without Dagster: ledger, artifact, validation, RLS, audit, merge.

Belongs here: calling it as a contender. Does not belong here: the load (`neanelu_pipelines.mirror`), measuring it.
"""

import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.contender import Contender, Result, Shop
from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.mirror.river import load_file
from neanelu_pipelines.settings import Settings


def run(database: Database, shop: Shop, path: Path) -> Result:
    """Load the file into the mirror of `shop`; the artifact store is a temporary folder."""
    folder = tempfile.mkdtemp(prefix="neanelu-bench-")
    try:
        settings = Settings(artifact_url=folder)
        started = time.perf_counter()
        report = load_file(database, settings, shop_domain=shop.domain, resource="products", source=str(path))
        return Result(time.perf_counter() - started, path.stat().st_size, report.stage.total.read)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(database: Database) -> None:
    """Nothing: a migrated database with the shop in it is all that a load needs."""


OURS = Contender("ours", "the whole load: ledger, validation, staging, RLS, audit, merge", run, prepare)
