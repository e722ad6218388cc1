"""A big shop from the sandbox's Admin API to the mirror: rows and megabytes a second, and memory, per resource.

Belongs here: the order of work, the figures, printing them. Does not belong here: one load and its process
(`shop_load`), the shop itself (`neanelu_pipelines.sandbox`).

    python -m benchmarks.shop --products 50000 --orders 200000 --customers 50000 --folder FOLDER

First each resource is exported from the sandbox by our client into FOLDER (waiting and downloading; the sandbox makes
every node on the way, so this says little of Shopify); a folder that has the files already is used as it is. Then each
file is loaded, in a process of its own: parsing and staging, checks, merge. Beside it stands the floor: the same bytes
COPYed unparsed into an unlogged text column of the same server.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.contender import Shop
from benchmarks.databases import DOMAIN, made_up, settle
from benchmarks.floor import FLOOR
from benchmarks.shop_load import exported, loaded
from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.server import open_database
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.settings import Settings

_RESOURCES = ("products", "collections", "customers", "orders")
"""In an order in which what others refer to comes first."""
_ROOMY = (100_000.0, 50_000.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, required=True, help="where the exported files are kept")
    parser.add_argument("--prepare", action="store_true", help="only export")
    parser.add_argument("--only", default=",".join(_RESOURCES), help="resources, separated by commas")
    given = parser.parse_args(arguments)
    spec = GeneratedShop(DOMAIN, seed=7, products=given.products, orders=given.orders, customers=given.customers)
    names = [name for name in _RESOURCES if name in given.only.split(",")]
    with made_up(open_database(Settings())) as bed, bed.fresh() as database:
        figures = measure(database, bed.shop, spec, given.folder, names, load=not given.prepare)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


def measure(
    database: Database, shop: Shop, spec: GeneratedShop, folder: Path, resources: Sequence[str], *, load: bool = True
) -> list[dict[str, Any]]:
    """The figures of each resource; `database` has the schema and the shop, and no rows of it yet."""
    folder.mkdir(parents=True, exist_ok=True)
    with _sandbox(spec, folder, resources) as sandbox:
        figures = [
            {"resource": name, **exported(database, shop.id, shop.domain, sandbox, folder, name)} for name in resources
        ]
    if load:
        FLOOR.prepare(database)
        figures = [one | _loaded(database, shop, one) for one in figures]
    return figures


def _loaded(database: Database, shop: Shop, one: dict[str, Any]) -> dict[str, Any]:
    path = Path(one["path"])
    settle(database)
    found = loaded(database, shop.domain, one["resource"], path)
    settle(database)
    floor = FLOOR.run(database, shop, path).seconds
    seconds = found["stage_seconds"] + found["merge_seconds"]
    return found | {
        "floor_seconds": round(floor, 2),
        "lines_per_second": round(found["lines"] / seconds),
        "mb_per_second": round(one["mb"] / seconds, 1),
        "times_the_floor": round(seconds / floor, 1),
    }


@contextmanager
def _sandbox(spec: GeneratedShop, folder: Path, resources: Sequence[str]) -> Iterator[Sandbox | None]:
    """The shop's API; none where every file is there already."""
    if all((folder / f"{name}.json").exists() for name in resources):
        yield None
        return
    with Sandbox([spec], bucket=_ROOMY) as sandbox:
        yield sandbox


if __name__ == "__main__":
    sys.exit(main())
