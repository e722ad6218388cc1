"""Ten processes ask one shop as fast as it lets them: how many requests are throttled, how much of its rate is used.

Belongs here: the measurement, against the sandbox's bucket. Does not belong here: the client.

    python -m benchmarks.pacing --workers 10 --seconds 60
"""

import argparse
import json
import random
import subprocess
import sys
import time
from uuid import UUID

from benchmarks.databases import DOMAIN, made_up
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.server import open_database
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.settings import settings
from neanelu_pipelines.shopify.access import Secret, ShopAccess
from neanelu_pipelines.shopify.client import AdminClient, Patience
from neanelu_pipelines.shopify.faults import ShopifyFault

QUERIES = (
    "query One { shop { name } }",
    "query Page { products(first: 50) { nodes { id title } } }",
    "query Nested { products(first: 50) { nodes { id variants(first: 10) { nodes { id sku price } } } } }",
)
"""1, 9 and some 40 points; what comes back costs less than what is reserved, as in real shops."""

_PATIENCE = Patience(tries=10, max_wait=300.0, timeout=30.0, max_reply_bytes=10_000_000)
_WARM_UP = 0.2
_START = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--maximum", type=float, default=2000.0, help="points that the bucket holds")
    parser.add_argument("--rate", type=float, default=100.0, help="points that come back each second")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.worker:
        _work()
        return 0
    sys.stdout.write(json.dumps(measure(given.workers, given.seconds, given.maximum, given.rate)) + "\n")
    return 0


def measure(workers: int, seconds: float, maximum: float, rate: float) -> dict[str, float]:
    """Run the workers and look at what the sandbox saw.

    `share_of_rate`: what was spent after the first fifth of the time, when the bucket's first filling is gone, against
    what came back in that time.
    """
    spec = GeneratedShop(DOMAIN, products=500)
    with (
        made_up(open_database(settings())) as bed,
        bed.fresh() as database,
        Sandbox([spec], bucket=(maximum, rate)) as sandbox,
    ):
        begin = time.time() + _START
        plan = {
            "url": database.urls[Role.PIPELINE],
            "shop": str(bed.shop.id),
            "token": spec.token,
            "endpoint": sandbox.url_template,
            "begin": begin,
            "end": begin + seconds,
        }
        running = [_start(plan | {"seed": number}) for number in range(workers)]
        faults = [fault for process in running for fault in json.loads(process.communicate()[0])]
        seen = list(sandbox.requests)
    window = [one for one in seen if begin + seconds * _WARM_UP <= one.at < begin + seconds]
    spent = sum(one.cost for one in window if not one.throttled)
    return {
        "workers": workers,
        "seconds": seconds,
        "requests": len(seen),
        "throttled": sum(one.throttled for one in seen),
        "faults": len(faults),
        "points_per_second": round(spent / (seconds * (1 - _WARM_UP)), 1),
        "share_of_rate": round(spent / (seconds * (1 - _WARM_UP)) / rate, 3),
    }


def _start(plan: dict[str, object]) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.pacing", "--worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Through a pipe: the plan holds a password and a token.
    assert process.stdin is not None  # noqa: S101 - it was asked for
    process.stdin.write(json.dumps(plan) + "\n")
    process.stdin.flush()
    return process


def _work() -> None:
    plan = json.loads(sys.stdin.readline())
    database = Database({Role.PIPELINE: plan["url"]})
    access = ShopAccess(UUID(plan["shop"]), DOMAIN, "2025-10", Secret(plan["token"]))
    dice = random.Random(plan["seed"])
    faults: list[str] = []
    time.sleep(max(0.0, plan["begin"] - time.time()))
    with AdminClient(access, database=database, endpoint=plan["endpoint"], patience=_PATIENCE) as client:
        while time.time() < plan["end"]:
            try:
                client.execute(dice.choice(QUERIES))
            except ShopifyFault as fault:
                faults.append(str(fault))
    sys.stdout.write(json.dumps(faults))


if __name__ == "__main__":
    sys.exit(main())
