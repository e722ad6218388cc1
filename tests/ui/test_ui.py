"""A person's way through the UI: the graph, a materialization by clicking, its success, its row counts.

Drives Debian's Chromium. Screenshots go to NEANELU_SCREENSHOTS, or to pytest's own temporary folder.
"""

import json
import os
import shutil
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.sandbox.catalogue import write_products
from neanelu_pipelines.sandbox.faults import Fault
from tests.cli.home import Home
from tests.cli.test_dev import address_of, start_dev
from tests.homes import new_home, remove_home

CHROMIUM = "/usr/bin/chromium"
SHOP, OTHER = "gradina-verde.myshopify.com", "atelierul-de-scule.myshopify.com"
PRODUCTS = 300

pytestmark = [
    pytest.mark.ui,
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no {CHROMIUM}: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("NEANELU_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running UI over two loaded shops; a changed catalogue waits in the inbox of the first."""
    home = Home(new_home())
    try:
        assert home.run("migrate").returncode == 0
        path = tmp_path_factory.mktemp("catalogue") / "products.jsonl"
        for seed, shop in enumerate((SHOP, OTHER)):
            write_products(path, PRODUCTS, seed=seed)
            done = home.run("load", str(path), "--shop", shop, "--resource", "products", "--create-shop")
            assert done.returncode == 0, done.stderr
        fill_inbox(home, path)
        with start_dev(home) as process:
            yield address_of(home)
            process.terminate()
            process.wait(60)
    finally:
        remove_home(home.path)


def fill_inbox(home: Home, path: Path) -> None:
    write_products(path, PRODUCTS, seed=0, changed_share=0.1, faults=[Fault.NULL_TITLE])
    inbox = home.path / "artifacts" / "inbox" / SHOP
    inbox.mkdir(parents=True)
    shutil.copyfile(path, inbox / "products.jsonl")


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1700, "height": 1500})
        page.set_default_timeout(60_000)
        yield page
        browser.close()


def ask(address: str, query: str) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own http address
        f"{address}/graphql", json.dumps({"query": query}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
        return json.load(answer)["data"]


def runs(address: str) -> dict[str, str]:
    """Every run's status, by id."""
    found = ask(address, "{ runsOrError { ... on Runs { results { runId status } } } }")
    return {run["runId"]: run["status"] for run in found["runsOrError"]["results"]}


def wait_for_partition(address: str) -> None:
    """The sensor has seen the shops; without it nothing could be chosen."""
    query = (
        '{ assetNodeOrError(assetKey: {path: ["mirror", "shopify_products"]}) { ... on AssetNode { partitionKeys } } }'
    )
    deadline = time.monotonic() + 90
    while SHOP not in ask(address, query)["assetNodeOrError"]["partitionKeys"]:
        assert time.monotonic() < deadline
        time.sleep(1)


def test_the_lineage_shows_the_river(page: Any, address: str, screenshots: Path) -> None:
    page.goto(f"{address}/asset-groups")
    page.get_by_text("Global asset lineage").wait_for()
    assert page.get_by_text("Join the Dagster community").count() == 0, "no dialog stands in the way"
    page.locator(".CodeMirror").first.click()
    page.keyboard.type('key:"artifacts/products_jsonl"+2')
    page.keyboard.press("Enter")
    page.wait_for_url("**products_jsonl**")
    for group in ("artifacts", "staging", "mirror"):
        page.locator("svg, foreignObject").get_by_text(group, exact=True).first.click()
        page.wait_for_timeout(1500)
    page.get_by_text("Hide navigation").click()
    page.reload()
    for table in ("products_jsonl", "staging_products", "shopify_products", "shopify_variant_media"):
        page.locator("foreignObject").get_by_text(table, exact=True).first.wait_for()
    page.get_by_text("100% filled").first.wait_for()
    page.wait_for_function("() => !document.body.innerText.includes('Loading')")
    page.screenshot(path=screenshots / "lineage.png")


def test_a_materialization_by_clicking_succeeds_and_says_its_row_counts(
    page: Any, address: str, screenshots: Path
) -> None:
    wait_for_partition(address)
    before = set(runs(address))
    page.goto(f"{address}/locations/neanelu/jobs/load_products")
    page.get_by_text("Materialize all").first.click()
    page.get_by_text("Launch runs to materialize 11 assets").wait_for()
    page.get_by_text("Select a partition or create one").click()
    page.locator("a:visible, [role=menuitem]:visible, [role=option]:visible").filter(has_text=SHOP).first.click()
    page.get_by_text("1 partition", exact=True).wait_for()
    page.screenshot(path=screenshots / "launch.png")
    page.get_by_role("button", name="Launch 1 run").click()

    run = wait_for_new_run(address, before)
    page.goto(f"{address}/runs/{run}")
    wait_for_success(address, run)
    page.get_by_text("Success").first.wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=screenshots / "run.png")

    page.goto(f"{address}/assets/mirror/shopify_products?view=partitions&partition={SHOP}")
    page.get_by_text("dagster/partition_row_count").wait_for()
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tr").all()]
    figures = {row[0].strip(): row[1].strip() for row in rows if len(row) > 1}
    page.screenshot(path=screenshots / "figures.png")
    assert int(figures["dagster/partition_row_count"]) == PRODUCTS
    assert int(figures["lines_rejected"]) == 1
    assert int(figures["rows_updated"]) > 0
    assert int(figures["rows_inserted"]) == 0


def wait_for_new_run(address: str, before: set[str]) -> str:
    """The id of the run that was not there before; an older run's success must not be taken for this one's."""
    deadline = time.monotonic() + 60
    while not (new := set(runs(address)) - before):
        assert time.monotonic() < deadline, "no run was launched"
        time.sleep(0.5)
    return new.pop()


def wait_for_success(address: str, run: str) -> None:
    deadline = time.monotonic() + 180
    while (status := runs(address)[run]) != "SUCCESS":
        assert status not in {"FAILURE", "CANCELED"}, status
        assert time.monotonic() < deadline, status
        time.sleep(0.5)


def test_checks_show_what_they_found(page: Any, address: str, screenshots: Path) -> None:
    page.goto(f"{address}/assets/staging/products/staging_products?view=checks")
    page.get_by_text("counts_add_up").first.click()
    page.get_by_text("This is a blocking asset check").wait_for()
    for check in ("counts_add_up", "rejected_share", "staging_complete", "newest_loads"):
        page.get_by_text(check).first.wait_for()
    page.screenshot(path=screenshots / "checks.png")
