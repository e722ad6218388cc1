"""Damage to whole files and odd but lawful content: a documented rule each, and the rest loads."""

import gzip
import re
import resource
from pathlib import Path
from typing import Any

import fsspec
import pytest

from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.mirror.river import StagingRefusedError
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError
from tests.mirror.lines import (
    River,
    catalogue,
    fates,
    gid,
    metafield,
    moment,
    product,
    variant,
    without,
    written,
)


def test_a_torn_last_line(river: River) -> None:
    lines = [*catalogue(), product(9)[:-30]]

    report = river.load(lines)

    assert river.error()[:3] == (len(lines), "PARSE", "malformed_json")
    assert any(f"last line ({len(lines)}) has no line end" in note for note in report.stage.notes)
    assert written(report)["shopify_products"] == (3, 0, 0)
    assert [(check.name, check.warns) for check in report.checks if not check.passed] == [("artifact_whole", True)]
    again = river.load(lines)
    assert [check.name for check in again.checks if not check.passed] == ["artifact_whole"], "nothing staged, still cut"


def test_a_file_cut_off_within_a_line_that_is_too_long_is_cut_off_too(river: River, mirror_settings: Settings) -> None:
    settings = mirror_settings.model_copy(update={"max_line_bytes": 4096})
    lines = [*catalogue(), product(9, title="x" * 200_000)[:100_000]]

    report = river.load(lines, settings=settings)

    assert river.error()[:3] == (len(lines), "PARSE", "line_too_long")
    assert any(f"last line ({len(lines)}) has no line end" in note for note in report.stage.notes)
    assert [check.name for check in report.checks if not check.passed] == ["artifact_whole"]
    whole = river.load([*lines[:-1], lines[-1] + b"\n"], settings=settings)
    assert all(check.passed for check in whole.checks)


def test_a_whole_last_line_without_line_end_is_taken_and_noted(river: River) -> None:
    report = river.load(b"".join(catalogue()).rstrip(b"\n"))

    assert report.stage.total.rejected == 0
    assert all(check.passed for check in report.checks)
    assert any("has no line end" in note for note in report.stage.notes)


def test_nul_and_half_pairs_are_mended_and_counted(river: River) -> None:
    lone = product(1).replace(b"Gr\xc4\x83dinarul", rb"a\ud83d\u0000b\udc00c \ud83d\ude00 \\u0000")

    report = river.load([lone, *catalogue()[1:]])

    assert report.stage.total.rejected == 0
    assert river.one("SELECT vendor FROM shopify_products WHERE legacy_resource_id = 1") == "a\ufffdb\ufffdc 😀 \\u0000"
    assert any("In 1 lines NUL characters were removed" in note for note in report.stage.notes)
    before = river.versions()
    river.load([lone, *catalogue()[1:]])
    assert river.versions() == before


def test_a_description_too_long_for_its_column_is_cut_and_counted_given_or_made_of_html(river: River) -> None:
    fits = "€" * 40_000
    report = river.load(
        [
            product(1, descriptionHtml=f"<p>{'é' * 70_000}</p>"),
            product(2, descriptionHtml="<p>x</p>", description="é" * 70_000),
            product(3, descriptionHtml=f"<p>{fits}</p>"),
        ]
    )

    assert report.stage.total.rejected == 0
    rows = river.query("SELECT description FROM shopify_products ORDER BY shopify_gid")
    assert rows == [("é" * 32_768,), ("é" * 32_768,), (fits,)]
    assert any(note.startswith("In 2 lines the description") for note in report.stage.notes)


def test_a_byte_order_mark_is_removed_and_noted(river: River) -> None:
    report = river.load(b"\xef\xbb\xbf" + b"".join(catalogue()))

    assert report.stage.total.rejected == 0
    assert any("byte order mark" in note for note in report.stage.notes)


def test_a_byte_order_mark_before_one_long_line_is_noted_too(river: River) -> None:
    """The line is longer than a block, so it is whole only after several reads."""
    report = river.load(b"\xef\xbb\xbf" + product(1, descriptionHtml="x" * 200_000))

    assert written(report) == {"shopify_products": (1, 0, 0)}
    assert any("byte order mark" in note for note in report.stage.notes)


def test_crlf_and_empty_lines(river: River) -> None:
    lines = [line.replace(b"\n", b"\r\n") for line in catalogue()]

    report = river.load([*lines[:5], b"\n", b"\r\n", *lines[5:], b"\n"])

    assert report.stage.total.rejected == 0
    assert fates(report)["(empty line)"] == (0, 0, 0, 3)
    river.load(catalogue(), domain="gradina.myshopify.com")
    assert river.mirror() == river.mirror("gradina.myshopify.com"), "a line end is no content"


def test_white_space_around_json_is_white_space(river: River) -> None:
    report = river.load([b"  " + line.rstrip(b"\n") + b" " * 20 + b"\n" for line in catalogue()])

    assert report.stage.total.rejected == 0
    assert written(report)["shopify_products"] == (3, 0, 0)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n\n"], ids=["nothing", "a mark", "line ends"])
def test_an_empty_file_changes_nothing(river: River, content: bytes) -> None:
    assert river.load(content).stage.total.staged == 0
    river.load(catalogue())
    before = river.versions()

    report = river.load(content)

    assert report.stage.total.rejected == 0
    assert river.versions() == before


@pytest.mark.parametrize("name", sorted(RESOURCES))
def test_a_result_without_rows_is_a_success_of_every_resource(river: River, name: str) -> None:
    """Shopify's COMPLETED without a url: the shop has none of them."""
    report = river.load(b"", resource=name)

    assert report.status == "completed"
    assert report.stage.total.read == 0


def test_a_line_of_50_mb_is_loaded(river: River, mirror_settings: Settings) -> None:
    """Under the limit of a line it is a row like any other."""
    settings = mirror_settings.model_copy(update={"block_bytes": 8 * 1024 * 1024})
    lines = [*catalogue(), product(9, descriptionHtml="ș" * 25_000_000), product(10)]

    report = river.load(lines, settings=settings)

    assert report.stage.total.rejected == 0
    assert river.one("SELECT octet_length(description_html) FROM shopify_products WHERE legacy_resource_id = 9") == 5e7


def test_a_line_over_the_limit_is_rejected_unread(river: River, mirror_settings: Settings, tmp_path: Path) -> None:
    settings = mirror_settings.model_copy(update={"max_line_bytes": 1024 * 1024})
    long = product(9, descriptionHtml="x" * 50_000_000)
    lines = [*catalogue(), long, product(10), long, *catalogue(4)[27:]]
    source = tmp_path / "warm.jsonl"
    source.write_bytes(b"".join(catalogue()))
    river.load(catalogue(), settings=settings)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    report = river.load(lines, settings=settings)

    errors = river.query("SELECT line_number, error_code, error_message, payload FROM bulk_errors ORDER BY 1")
    assert [(number, code) for number, code, *_ in errors] == [(28, "line_too_long"), (30, "line_too_long")]
    assert f"{len(long) - 1:,} bytes" in errors[0][2]
    assert errors[0][3]["text"].startswith('{"__typename":"Product","id"')
    assert len(errors[0][3]["text"].encode()) == 2000
    assert written(report)["shopify_products"] == (2, 0, 0)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    # The lines of this test's own list are 100 MB; the loader reads a block at a time.
    assert grown < 60_000, f"{grown:,} KB more at the peak"


@pytest.mark.parametrize("depth", [100, 1010, 200_000])
def test_deep_nesting(river: River, depth: int) -> None:
    """In a field that nobody asked for: the line is taken or rejected, and nothing crashes."""
    deep = product(9).replace(b'"vendor":', b'"adanc":' + b"[" * depth + b"]" * depth + b',"vendor":')

    report = river.load([deep, *catalogue(), deep.replace(b"Product\\/9", b"Order\\/9")])

    total = report.stage.total
    assert (total.read, total.staged) == (29, 29 - total.rejected)
    assert total.rejected in (1, 2)
    assert river.errors()[-1][0] == 29


@pytest.mark.parametrize(
    "extra",
    [
        b'"x":' + b"9" * 5000,
        b'"x":1e999',
        b'"x":-0',
        b'"x":"\\u007f\\b\\u0001"',
        b'"x":"\t"',
        b'"vendor":"de doua ori"',
        b'"x":{"":null}',
        b'"__parentId":null',
    ],
)
def test_odd_json_in_a_line_never_ends_a_load(river: River, extra: bytes) -> None:
    odd = product(9).replace(b'"handle":', extra + b',"handle":')

    report = river.load([odd, *catalogue()])

    assert report.stage.total.read == 28
    assert written(report)["shopify_products"] in ((3, 0, 0), (4, 0, 0))


def test_text_comes_through_as_it_is(river: River) -> None:
    """Whatever CSV, arrays, JSON or COPY could trip over."""
    texts = ['"', "'", "\\", "\\.", "\\N", ",", "\r\n", "\t", "{}", '{"a"}', "NULL", "null", "", " ", "<&>/"]
    texts += ["a\u2028b", "\u007f\b\u0001"]
    lines = [
        product(n, vendor=text, tags=[text, "a"], seo={"title": text, "description": None})
        for n, text in enumerate(texts, 1)
    ]
    lines += [metafield(n, gid("Product", n), key=text, value=text) for n, text in enumerate(texts, 1)]

    report = river.load(lines)

    assert report.stage.total.rejected == 0
    rows = river.query(
        "SELECT vendor, tags, seo->>'title', metafields FROM shopify_products ORDER BY legacy_resource_id"
    )
    for text, (vendor, tags, title, metafields) in zip(texts, rows, strict=True):
        assert (vendor, tags, title) == (text, [text, "a"], text)
        assert metafields == {f"custom.{text}": {"type": "single_line_text_field", "value": text}}


def test_values_keep_every_digit(river: River) -> None:
    measured = {"id": gid("InventoryItem", 1), "measurement": {"weight": {"value": 1e-05, "unit": "KILOGRAMS"}}}
    river.load(
        [
            product(1, legacyResourceId=str(2**63 - 1), updatedAt="2026-03-01T10:00:00.123456+02:00"),
            variant(10, 1, price="9999999999.99", compareAtPrice="0.1", inventoryItem=measured),
            variant(11, 1, price="-0.10", inventoryQuantity=-(2**31)),
        ]
    )

    assert river.errors() == []
    assert river.one("SELECT legacy_resource_id FROM shopify_products") == 2**63 - 1
    assert river.one("SELECT (updated_at_shopify AT TIME ZONE 'UTC')::text FROM shopify_products") == (
        "2026-03-01 08:00:00.123456"
    )
    prices = river.query(
        "SELECT price::text, compare_at_price::text, weight FROM shopify_variants ORDER BY shopify_gid"
    )
    assert prices[0][:2] == ("9999999999.99", "0.10")
    assert prices[1][0] == "-0.10"


def test_gzip_by_its_bytes_whatever_its_name(river: River) -> None:
    for i, content in enumerate([gzip.compress(b"".join(catalogue())), b"".join(map(gzip.compress, catalogue()))]):
        report = river.load(content, domain=list(river.shops)[i])
        assert report.stage.total.staged == len(catalogue())
    assert river.mirror() == river.mirror("gradina.myshopify.com")


@pytest.mark.parametrize("damage", ["cut off", "flipped"])
def test_a_damaged_gzip_is_refused_whole(river: River, damage: str) -> None:
    river.load(catalogue())
    before = river.versions()
    whole = gzip.compress(b"".join(catalogue(300, vendor="Altul")))
    middle = len(whole) // 2
    broken = (
        whole[:middle] if damage == "cut off" else whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    )

    with pytest.raises(ArtifactUnreadableError, match="damaged or cut off"):
        river.load(broken)

    assert river.versions() == before
    assert river.errors() == []
    status, error = river.one("SELECT status, error_message FROM bulk_runs ORDER BY created_at DESC LIMIT 1")
    assert status == "failed"
    assert "damaged or cut off" in error


def test_a_file_that_is_not_there(river: River) -> None:
    with pytest.raises(ArtifactUnreadableError, match=re.escape("nicaieri.jsonl")):
        river_load_path(river, "/nicaieri.jsonl")

    assert river.one("SELECT status FROM bulk_runs") == "failed"


def test_from_and_to_an_object_store(river: River, mirror_settings: Settings) -> None:
    """fsspec's memory filesystem: what holds for it holds for S3, as far as the loader can tell."""
    with fsspec.open("memory://exporturi/produse.jsonl.gz", "wb") as file:
        file.write(gzip.compress(b"".join(catalogue())))
    river.settings = mirror_settings.model_copy(update={"artifact_url": "memory://artefacte"})

    report = river_load_path(river, "memory://exporturi/produse.jsonl.gz")

    assert report.stage.total.staged == len(catalogue())
    path = river.one("SELECT file_path FROM bulk_artifacts")
    assert path == f"memory://artefacte/unelte.myshopify.com/products/{report.run_id}.jsonl.gz"
    with fsspec.open(path, "rb") as stored:
        assert gzip.decompress(stored.read()) == b"".join(catalogue())


def test_above_the_share_of_rejects_nothing_is_merged_and_why_is_said(river: River, mirror_settings: Settings) -> None:
    settings = mirror_settings.model_copy(update={"max_reject_share": 0.1})
    bad = [product(n, status="PAUSED") for n in range(90, 93)]
    river.load([*catalogue(), *bad], settings=settings)  # exactly a tenth
    before = river.versions()

    with pytest.raises(StagingRefusedError, match=r"4 of 31 lines were rejected \(12.90%; allowed: 10.00%\)"):
        river.load([*catalogue(vendor="Altul"), *bad, product(99, status="PAUSED")], settings=settings)

    assert river.versions() == before
    status, error = river.one("SELECT status, error_message FROM bulk_runs ORDER BY created_at DESC LIMIT 1")
    assert status == "failed"
    assert "Nothing was merged" in error
    assert river.one("SELECT count(*) FROM bulk_errors") == 3 + 4


def test_orphans_count_towards_the_share(river: River, mirror_settings: Settings) -> None:
    settings = mirror_settings.model_copy(update={"max_reject_share": 0.1})

    with pytest.raises(StagingRefusedError, match="8 of 8 lines were rejected"):
        river.load(without(catalogue(1), 0), settings=settings)


def river_load_path(river: River, source: str) -> Any:
    from neanelu_pipelines.mirror.river import load_file

    return load_file(
        river.database,
        river.settings,
        shop_domain="unelte.myshopify.com",
        resource="products",
        source=source,
        as_of=moment(5),
    )
