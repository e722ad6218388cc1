"""The contenders do comparable work, and the figures are what they are called."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from benchmarks import elt, floor, ours
from benchmarks.contender import Contender
from benchmarks.databases import Bed, made_up
from benchmarks.measure import SCENARIOS, Runs, Size, compare, growth, ratios
from benchmarks.run import bench
from benchmarks.worker import ContenderFailedError, UnknownContenderError, contender, load
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.sandbox.catalogue import Written, write_products

PRODUCTS = 150
TABLES = {
    "shopify_products": "shopify_gid",
    "shopify_variants": "shopify_gid",
    "shopify_media": "shopify_gid",
}
LINKS = {
    "shopify_product_media": ("shopify_products", "id", "product_id"),
    "shopify_variant_media": ("shopify_variants", "id", "variant_id"),
}
# Made by the database, or kept by our load alone; ELT keeps the options as they come, we as the column is described.
NOT_COMPARED = {
    "id", "media_id", "product_id", "synced_at", "created_at", "updated_at", "fingerprint", "options", "position",
}  # fmt: skip


@pytest.fixture(scope="module")
def bed(server: EmbeddedServer) -> Iterator[Bed]:
    with made_up(server.database("postgres")) as made:
        yield made


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    path = tmp_path_factory.mktemp("catalogue") / "products.jsonl"
    return path, write_products(path, PRODUCTS)


def rows(database: Database, table: str, key: str) -> dict[str, dict[str, Any]]:
    query = sql.SQL("SELECT {}, to_jsonb(t) FROM {} AS t").format(sql.Identifier(key), sql.Identifier(table))
    with database.connect(Role.ADMIN) as connection:
        found = connection.execute(query).fetchall()
    return {key: {name: bare(value) for name, value in row.items() if name not in NOT_COMPARED} for key, row in found}


def bare(value: Any) -> Any:
    """Without what is empty: whether nothing is written as null, [] or {} is no difference in work."""
    if isinstance(value, dict):
        return {name: bare(part) for name, part in value.items() if part is not None} or None
    if isinstance(value, list):
        return [bare(part) for part in value] or None
    return value


def links(database: Database, table: str) -> set[tuple[str, str, int]]:
    parent, key, column = LINKS[table]
    query = sql.SQL(
        "SELECT p.shopify_gid, m.shopify_gid, row_number() OVER (PARTITION BY p.shopify_gid ORDER BY l.position) "
        "FROM {} AS l JOIN {} AS p ON p.{} = l.{} JOIN shopify_media AS m USING (media_id)"
    ).format(*map(sql.Identifier, (table, parent, key, column)))
    with database.connect(Role.ADMIN) as connection:
        return set(connection.execute(query).fetchall())


def run_one(chosen: Contender, database: Database, bed: Bed, path: Path) -> int:
    chosen.prepare(database)
    result = chosen.run(database, bed.shop, path)
    assert result.bytes == path.stat().st_size
    assert result.seconds > 0
    return result.rows


def test_elt_fills_the_mirror_with_what_our_load_fills_it_with(bed: Bed, catalogue: tuple[Path, Written]) -> None:
    """Twice: a comparison with somebody who does less, or something else, would be worth nothing."""
    path, written = catalogue
    with bed.fresh() as by_elt, bed.fresh() as by_ours:
        for _ in range(2):
            assert run_one(elt.ELT, by_elt, bed, path) == written.lines
            assert run_one(ours.OURS, by_ours, bed, path) == written.lines
        for table, key in TABLES.items():
            expected = rows(by_ours, table, key)
            assert expected
            assert rows(by_elt, table, key) == expected
        for table in LINKS:
            expected_links = links(by_ours, table)
            assert expected_links
            assert links(by_elt, table) == expected_links


def test_the_floor_keeps_the_bytes_as_they_are(bed: Bed, catalogue: tuple[Path, Written]) -> None:
    path, written = catalogue
    with bed.fresh() as database:
        assert run_one(floor.FLOOR, database, bed, path) == written.lines
        with database.connect(Role.ADMIN) as connection:
            stored = [line for (line,) in connection.execute("SELECT line FROM bench.floor")]
    assert "\n".join(stored) + "\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["dlt", "dlt-flat"])
def test_dlt_merges_every_line(bed: Bed, catalogue: tuple[Path, Written], name: str) -> None:
    pytest.importorskip("dlt", reason="needs the extra 'bench'")
    path, written = catalogue
    with bed.fresh() as database:
        for first in (True, False):
            outcome = load(name, database, bed.shop, path, prepare=first)
            assert outcome.result.rows == written.lines
        with database.connect(Role.ADMIN) as connection:
            counts = {
                name: connection.execute(sql.SQL("SELECT count(*) FROM dlt_bench.{}").format(sql.Identifier(name)))
                for name in ("products", "variants", "media", "metafields")
            }
            found = {name: row[0] for name, cursor in counts.items() if (row := cursor.fetchone())}
    assert found["products"] == PRODUCTS
    assert sum(found.values()) == written.lines


def test_a_comparison_has_every_contender_in_every_scenario(bed: Bed) -> None:
    said: list[str] = []
    runs = compare(bed, contenders=("elt", "floor"), products=20, repeats=2, progress=said.append)
    assert [(run.scenario, run.contender) for run in runs] == [(s, c) for s in SCENARIOS for c in ("elt", "floor")]
    assert all(len(run.seconds) == len(run.peak_rss) == 2 for run in runs)
    assert all(10e6 < peak < 1e9 for run in runs for peak in run.peak_rss)
    # The second repeat starts with the other contender.
    assert [line.split()[0] for line in said[::3]] == ["elt", "floor", "floor", "elt"]


def test_the_figures_come_as_json(server: EmbeddedServer, capsys: pytest.CaptureFixture[str]) -> None:
    bench(server.database("postgres"), contenders=["floor"], products=10, repeats=1, as_json=True)
    data = json.loads(capsys.readouterr().out)
    assert [run["scenario"] for run in data["runs"]] == list(SCENARIOS)
    assert all(run["mb_per_second"] > 0 for run in data["runs"])


def test_ratios_and_growth_are_what_they_are_called() -> None:
    runs = [Runs("ours", "first", 100, 1, [1.0, 2.0, 9.0]), Runs("elt", "first", 100, 1, [6.0, 3.0, 5.0])]
    assert ratios(runs) == {"first": {"elt": 2.5}}
    assert growth([Size(1_000_000_000, 115.0, 1), Size(100_000_000, 10.0, 1)]) == pytest.approx(0.15)


def test_who_fails_is_named_and_no_password_shows(bed: Bed, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text("{\n")
    with bed.fresh() as database:
        with pytest.raises(ContenderFailedError, match=r"elt failed on bad\.jsonl") as failure:
            load("elt", database, bed.shop, bad, prepare=True)
        for url in database.urls.values():
            assert url not in str(failure.value)
    with pytest.raises(UnknownContenderError, match="known are: ours, floor, elt, dlt, dlt-flat"):
        contender("sled")
