"""Recorded results of bulk operations and recorded nodes: the loader takes or names every line of them."""

import json
from collections import Counter
from pathlib import Path
from types import EllipsisType
from typing import Any

import pytest

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.mirror.reports import LoadReport
from neanelu_pipelines.mirror.river import load_file
from neanelu_pipelines.sandbox.wire import encode_line
from neanelu_pipelines.settings import Settings

DOMAIN = "unelte.myshopify.com"
# The recorded queries select less than a row needs: a product has no handle or status there, a variant no price.
RECORDED: dict[str, dict[str, int | EllipsisType]] = {
    "cold_catalog.raw.jsonl": {"missing_required": 1},
    "mutation_results.raw.jsonl": {"unreadable_identity": 4},
    "productVariants_media_metafields.raw.jsonl": {"orphan": 3},
    "products_id_title_groupObjects_true.byteexact.jsonl": {"missing_required": ...},
    "products_id_title_lifecycle.byteexact.jsonl": {"missing_required": ...},
    "products_variants_media_metafields.raw.jsonl": {"missing_required": 3, "orphan": 1},
}
CHILDREN = ("ProductVariant", "MediaImage", "Video", "ExternalVideo", "Metafield")
PARENT = "gid://shopify/Product/1"


@pytest.fixture
def results(shared: Path) -> Path:
    return _there(shared / "data/shopify/bulk/jsonl")


@pytest.fixture
def entities(shared: Path) -> Path:
    return _there(shared / "data/shopify/entities")


@pytest.fixture
def shop(database: Database) -> Database:
    _do(
        database,
        "INSERT INTO shops (shopify_domain, access_token_ciphertext, access_token_iv, access_token_tag, scopes)"
        " VALUES (%s, '', '', '', '{}')",
        DOMAIN,
    )
    return database


def test_recorded_results_go_through(shop: Database, results: Path, tmp_path: Path) -> None:
    assert {path.name for path in results.glob("*.jsonl")} == set(RECORDED)
    for name, expected in RECORDED.items():
        lines = (results / name).read_bytes().count(b"\n")

        report = _load(shop, tmp_path, results / name)

        total = report.stage.total
        assert (total.read, total.rejected) == (lines, lines), name
        reasons = {rejection.code: rejection.count for rejection in report.rejections}
        assert reasons == {code: lines if count is ... else count for code, count in expected.items()}, name
    assert _rows(shop, "SELECT count(*) FROM shopify_products") == [(0,)]


def test_recorded_results_bring_what_they_carry_to_rows_that_are_there(
    shop: Database, results: Path, tmp_path: Path
) -> None:
    """A line without what a row demands is no reason to reject a row that is there: what it lacks, the row keeps."""
    name = "products_variants_media_metafields.raw.jsonl"
    recorded = [json.loads(line) for line in (results / name).read_text().splitlines()]
    needed = {
        "handle": "h",
        "status": "ACTIVE",
        "price": "1.00",
        "vendor": "Grădinarul",
        "updatedAt": "2026-03-01T10:00:00Z",
    }
    whole = tmp_path / "intreg.jsonl"
    whole.write_bytes(b"".join(_line({**needed, **node, "title": "al nostru"}) for node in recorded))
    assert _load(shop, tmp_path, whole).stage.total.rejected == 0
    rows = (
        "SELECT p.title, p.handle, p.status, p.vendor, v.title, v.price::text"
        " FROM shopify_products p JOIN shopify_variants v ON v.product_id = p.id"
    )
    assert _rows(shop, rows) == [("al nostru", "h", "ACTIVE", "Grădinarul", "al nostru", "1.00")]

    report = _load(shop, tmp_path, results / name)

    assert (report.stage.total.staged, report.stage.total.rejected) == (4, 0)
    titles = [node["title"] for node in recorded if "title" in node]
    assert _rows(shop, rows) == [(titles[0], "h", "ACTIVE", "Grădinarul", titles[1], "1.00")]
    assert _rows(shop, "SELECT status FROM shopify_media") == [("READY",)]


def test_recorded_nodes_are_all_accounted_for(shop: Database, entities: Path, tmp_path: Path) -> None:
    """Nodes of every type, as recorded: of ours and of nobody's, with all their fields and connections."""
    lines: list[bytes] = []
    nodes: Counter[str] = Counter()
    for path in sorted(entities.glob("*.ndjson")):
        for text in path.read_text().splitlines():
            node = json.loads(text)["node"]
            if isinstance(node, dict):
                lines.append(encode_line(node, PARENT if path.stem in CHILDREN else None))
                nodes[path.stem] += 1
    source = tmp_path / "noduri.jsonl"
    source.write_bytes(b"".join(lines))

    report = _load(shop, tmp_path, source)

    total = report.stage.total
    assert total.read == len(lines) > 10_000
    assert total.staged > 100, "some are whole"
    (errors,) = _rows(shop, "SELECT count(*), count(DISTINCT line_number) FROM bulk_errors")
    assert errors == (total.rejected, total.rejected)
    assert report.stage.nodes["Product"].read == nodes["Product"]
    assert report.stage.nodes["ProductVariant"].read == nodes["ProductVariant"]
    again = _load(shop, tmp_path, source)
    assert all((count.inserted, count.deleted) == (0, 0) for count in again.tables.values())
    assert again.stage.total.rejected == total.rejected


def _there(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: the recorded data is not part of the project")
    return folder


def _line(node: dict[str, Any]) -> bytes:
    parent = node.pop("__parentId", None)
    return encode_line(node | ({"status": "READY"} if "mediaContentType" in node else {}), parent)


def _load(database: Database, folder: Path, source: Path) -> LoadReport:
    settings = Settings(artifact_url=str(folder / "artifacts"), max_reject_share=1.0, _env_file=None)
    return load_file(database, settings, shop_domain=DOMAIN, resource="products", source=str(source))


def _rows(database: Database, query: str) -> list[Any]:
    with database.connect(Role.ADMIN) as connection:
        return connection.execute(query).fetchall()


def _do(database: Database, statement: str, *parameters: object) -> None:
    with database.connect(Role.ADMIN) as connection:
        connection.execute(statement, parameters)
