"""A made-up shop's products and files, by our queries: both settle, and what an earlier query did not ask for stays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.mirror.removals.snapshots import remove_missing
from neanelu_pipelines.mirror.reports import LoadReport, LoadRun
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.sandbox.wire import encode_line
from neanelu_pipelines.shopify.documents import document, inlined
from tests.mirror.lines import DOMAIN, River, gid, metafield, moment, product, variant, written
from tests.sandbox.admin_client import AdminClient

NEW = frozenset(
    {"hasOutOfStockVariants", "compareAtPriceRange", "taxCode", "requiresComponents", "requiresShipping", "image"}
)
"""What the recorded files' query does not ask of products and variants."""
NEW_OF_MEDIA = frozenset({"createdAt", "mimeType", "duration", "preview"})


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, bytes]]:
    with Sandbox([GeneratedShop(DOMAIN, seed=5, products=120, files=40)]) as sandbox:
        admin = AdminClient(sandbox, DOMAIN)
        yield {name: admin.bulk(inlined(document(name), {"search": None})) for name in ("products", "files")}


def as_before(result: bytes) -> bytes:
    """The result of the query without the fields that it did not have."""

    def node(line: bytes) -> dict[str, Any]:
        made = json.loads(line)
        left_out = NEW_OF_MEDIA if "mediaContentType" in made else NEW
        made = {name: value for name, value in made.items() if name not in left_out}
        made.get("inventoryItem", {}).pop("requiresShipping", None)
        return made

    return b"".join(encode_line(node(line)) for line in result.splitlines())


def missing(river: River, report: LoadReport, resource: str) -> str:
    run = LoadRun(report.run_id, river.shops[DOMAIN], DOMAIN, resource, "", 0, "")
    return remove_missing(river.database, river.settings, run, None, unconfirmed=True).outcome


def test_products_and_files_by_turns_change_nothing_and_miss_nothing(river: River, results: dict[str, bytes]) -> None:
    media = [line for line in results["products"].splitlines() if b'"mediaContentType"' in line]
    assert len(results["files"].splitlines()) == len(media) + 40, "a product's media are files as well"
    for day, name in enumerate(("products", "files"), 2):
        assert missing(river, river.load(results[name], resource=name, as_of=moment(day)), name) == "nothing"
    assert river.one("SELECT count(*) FROM shopify_media") == len(media) + 40
    before, audited = river.versions(), river.audit_rows()

    for day, name in enumerate(("products", "files", "products"), 4):
        report = river.load(results[name], resource=name, as_of=moment(day))
        assert (written(report), report.stage.total.staged, missing(river, report, name)) == ({}, 0, "nothing"), name

    assert (river.versions(), river.audit_rows()) == (before, audited)


def test_what_an_earlier_query_did_not_ask_for_stays(river: River, results: dict[str, bytes]) -> None:
    river.load(results["products"], as_of=moment(2))
    told = river.mirror()

    report = river.load(as_before(results["products"]), as_of=moment(3))

    assert report.stage.total.rejected == 0
    assert written(report) == {}, "other lines, the same rows"
    assert unprinted(river.mirror()) == unprinted(told)
    assert written(river.load(results["products"], as_of=moment(4))) == {}


def test_a_variants_last_metafield_goes_where_the_query_is_known_to_have_asked(river: River) -> None:
    bare = [product(1), variant(10, 1)]
    full = [*bare, metafield(5, gid("ProductVariant", 10))]

    def metafields() -> int:
        return len(river.one("SELECT metafields FROM shopify_variants"))

    river.load(full, as_of=moment(2))
    exported(river, bare, inlined(document("products"), {"search": "updated_at:>2026"}), day=3)
    assert metafields() == 0
    river.load(full, as_of=moment(4))
    exported(river, bare, "{ products { edges { node { __typename id variants { edges { node { id } } } } } } }", day=5)
    assert metafields() == 1, "an earlier query did not ask"
    river.load([product(1), variant(10, 1, sku=None)], as_of=moment(6))
    assert metafields() == 1, "a file does not say"


def exported(river: River, lines: list[bytes], query: str, *, day: int) -> None:
    """Load a window's result whose query the ledger has."""
    run = steps.open_load(
        river.database,
        river.settings,
        shop_domain=DOMAIN,
        resource="products",
        source=river.file(lines),
        as_of=moment(day),
        snapshot=False,
    )
    bulk = json.dumps({"bulk": {"query": query}})
    river.do("UPDATE bulk_runs SET cursor_state = cursor_state || %s::jsonb WHERE id = %s", bulk, run.run_id)
    steps.stage(river.database, river.settings, run)
    steps.merge(river.database, river.settings, run)


def unprinted(mirror: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The rows without the hashes of their lines."""
    return {
        table: [tuple({**cell, "fingerprint": 0} if isinstance(cell, dict) else cell for cell in row) for row in rows]
        for table, rows in mirror.items()
    }


def test_a_query_that_asks_for_them_again_clears_what_is_empty_now(river: River, results: dict[str, bytes]) -> None:
    river.load(results["products"], as_of=moment(2))
    sales = "SELECT count(*) FROM shopify_products WHERE compare_at_price_range IS NOT NULL"
    assert river.one(sales)
    assert river.one("SELECT count(*) FROM shopify_variants WHERE image_url IS NOT NULL")

    lines = [json.loads(line) for line in results["products"].splitlines()]
    emptied = (line | {name: None for name in ("compareAtPriceRange", "image") if _is_of(line, name)} for line in lines)
    river.load(b"".join(map(encode_line, emptied)), as_of=moment(3))

    assert river.one(sales) == 0
    assert river.one("SELECT count(*) FROM shopify_variants WHERE image_url IS NOT NULL") == 0


def _is_of(line: dict[str, Any], name: str) -> bool:
    return name in line and line["__typename"] in ("Product", "ProductVariant")
