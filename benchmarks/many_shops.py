"""Many small shops in one backfill: seconds per shop, and what share of that is Dagster's.

Belongs here: the measurement, with everything as a user has it: the daemon launches the runs, each a process of its
own. Does not belong here: the load itself.

    python -m benchmarks.many_shops --shops 100 --products 100

A run's wall time is from its launch to its end, the start of its process included. What the loads took in it they say
themselves (`load_seconds`); the rest is Dagster's: starting, writing events, and waiting for turns.
"""

import argparse
import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.database.server import open_database
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret
from neanelu_pipelines.shopify.vault import Keyring

_PATIENCE = 900.0
_ROOT = Path(__file__).resolve().parent.parent

_ASSETS = "{ assetNodes { assetKey { path } tags { key value } isMaterializable } }"
_PARTITIONS = """{ assetNodeOrError(assetKey: {path: ["mirror", "shopify_products"]}) {
  ... on AssetNode { partitionKeys } } }"""
_LAUNCH = """mutation launch($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_BACKFILL = """query state($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
  status timestamp endTimestamp
  runs(limit: 500) { id status stats { ... on RunStatsSnapshot { launchTime startTime endTime } } } } } }"""
_LOADS = """{ assetNodeOrError(assetKey: {path: ["mirror", "shopify_products"]}) { ... on AssetNode {
  assetMaterializations(limit: 2000) { partition runId metadataEntries { label
    ... on FloatMetadataEntry { floatValue } ... on IntMetadataEntry { intValue } } } } } }"""


def main(arguments: list[str] | None = None) -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shops", type=int, default=100)
    parser.add_argument("--products", type=int, default=100)
    given = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(measure(given.shops, given.products)) + "\n")
    return 0


def measure(count: int, products: int) -> dict[str, Any]:
    """Load so many shops, of so many products each, in one backfill."""
    made = [GeneratedShop(f"magazin-{number}.myshopify.com", seed=number, products=products) for number in range(count)]
    with _home() as home, Sandbox(made) as sandbox:
        keys = f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
        own = {
            "NEANELU_HOME": str(home),
            "NEANELU_ENCRYPTION_KEYS": keys,
            "NEANELU_SHOPIFY_URL": sandbox.url_template,
            "NEANELU_EXPORT_FIRST_POLL": "0.5",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
        }
        environment = {**os.environ, **own}
        subprocess.run([*_command("migrate")], env=environment, cwd=home.parent, check=True, stdout=subprocess.DEVNULL)
        settings = Settings(_env_file=None, home=home)
        keyring = Keyring.parse(Secret(keys))
        for shop in made:
            shops.install(open_database(settings), keyring, shop.domain, Secret(shop.token))
        with _services(environment, home) as address:
            return {"shops": count, "products": products, **_backfill(address, [shop.domain for shop in made])}


def _backfill(address: str, domains: list[str]) -> dict[str, Any]:
    keys = [
        node["assetKey"]["path"]
        for node in _ask(address, _ASSETS)["assetNodes"]
        if node["isMaterializable"] and {"key": "neanelu/resource", "value": "products"} in node["tags"]
    ]

    def known() -> bool:
        return set(domains) <= set(_ask(address, _PARTITIONS)["assetNodeOrError"]["partitionKeys"])

    _wait(known)  # The sensor adds the shops.
    params = {"assetSelection": [{"path": path} for path in keys], "partitionNames": domains}
    launched = _ask(address, _LAUNCH, params=params)["launchPartitionBackfill"]
    state: dict[str, Any] = {}

    def over() -> bool:
        state.update(_ask(address, _BACKFILL, id=launched["backfillId"])["partitionBackfillOrError"])
        return str(state["status"]) not in {"REQUESTED", "CANCELING", "FAILING"}

    _wait(over)
    return _figures(state, _ask(address, _LOADS)["assetNodeOrError"]["assetMaterializations"])


def _figures(state: dict[str, Any], loads: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {entry["label"]: entry.get("floatValue", entry.get("intValue")) for entry in load["metadataEntries"]}
        for load in loads
    ]
    ours = sum(entry["load_seconds"] for entry in entries)
    runs = [run["stats"] for run in state["runs"]]
    walls = [run["endTime"] - run["launchTime"] for run in runs]
    seconds = max(run["endTime"] for run in runs) - state["timestamp"]
    return {
        "status": state["status"],
        "loaded": len({load["partition"] for load in loads}),
        "rows": sum(entry["lines_staged"] for entry in entries),
        "runs": len(state["runs"]),
        "seconds": round(seconds, 1),
        "seconds_per_shop": round(seconds / max(1, len(loads)), 3),
        "load_seconds": round(ours, 1),
        "load_seconds_per_shop": round(ours / max(1, len(loads)), 3),
        "run_seconds": round(sum(walls), 1),
        "of_it_starting": round(sum(run["startTime"] - run["launchTime"] for run in runs), 1),
        "share_of_dagster": round(1 - ours / sum(walls), 3),
    }


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "neanelu_pipelines.cli.main", *arguments]


@contextmanager
def _home() -> Iterator[Path]:
    """A home for a server of its own, in a folder that the account of an embedded server can enter."""
    folder = Path(tempfile.mkdtemp(prefix="neanelu-bench-"))
    folder.chmod(0o711)
    try:
        yield folder / "home"
    finally:
        EmbeddedServer(folder / "home").stop()
        shutil.rmtree((folder / "home" / "server").resolve(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _services(environment: dict[str, str], home: Path) -> Iterator[str]:
    """`neanelu dev`, and the UI's address."""
    log = home.parent / "dev.log"
    with log.open("w") as out:
        process = subprocess.Popen(_command("dev"), env=environment, cwd=home.parent, stdout=out, stderr=out)
    try:
        _wait(lambda: "UI is at" in log.read_text() or process.poll() is not None)
        yield next(word.rstrip(";") for word in log.read_text().split() if word.startswith("http://"))
    finally:
        process.terminate()
        process.wait(120)


def _wait(over: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not over():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not over after {_PATIENCE:.0f} s")
        time.sleep(0.5)


def _ask(address: str, query: str, **variables: Any) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own http address
        f"{address}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        found = json.load(answer)
    if found.get("errors"):
        raise RuntimeError(str(found["errors"])[:1000])
    return found["data"]


if __name__ == "__main__":
    sys.exit(main())
