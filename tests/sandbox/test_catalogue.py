"""The made-up catalogue keeps Shopify's byte rules, is the same every time, and has the size that was asked for."""

import gzip
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neanelu_pipelines.sandbox.catalogue import Written, write_products
from neanelu_pipelines.sandbox.faults import Fault
from neanelu_pipelines.sandbox.goods import Change, product_lines
from neanelu_pipelines.sandbox.wire import encode_line, escape

PRODUCTS = 600
ALL_NODES = {"Product", "ProductVariant", "MediaImage", "Metafield", "Video", "ExternalVideo", "Model3d"}


def written(**options: Any) -> tuple[bytes, Written]:
    buffer = io.BytesIO()
    summary = write_products(buffer, options.pop("products", PRODUCTS), **options)
    return buffer.getvalue(), summary


def nodes(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


@pytest.fixture(scope="module")
def plain() -> bytes:
    return written()[0]


@given(st.integers(0, 2**40), st.integers(0, 500_000), st.booleans(), st.sampled_from((0.0, 1.0)))
@settings(max_examples=200, deadline=None)
def test_every_line_is_what_the_encoder_would_write(seed: int, index: int, changed: bool, share: float) -> None:
    change = Change("2025-11-02T10:00:00Z") if changed else None
    for line in product_lines(seed, index, change, share):
        assert line.encode() + b"\n" == encode_line(json.loads(line))


def test_the_byte_rules() -> None:
    r"""`/` is `\/`, `&` is \u0026, diacritics stand as they are; nothing else is escaped that JSON does not demand."""
    line = encode_line(
        {"id": "gid://shopify/Product/1", "title": 'Lemn & metal <b>"ș"</b>'}, parent="gid://shopify/X/2"
    )
    assert line == (
        rb'{"id":"gid:\/\/shopify\/Product\/1","title":"Lemn \u0026 metal <b>\"' + "ș".encode() + rb'\"<\/b>",'
        rb'"__parentId":"gid:\/\/shopify\/X\/2"}' + b"\n"
    )
    assert escape('1/2" & ă\n') == '1\\/2\\" \\u0026 ă\\n'


def test_keys_stand_in_the_order_of_the_query(plain: bytes) -> None:
    for node in nodes(plain):
        keys = list(node)
        assert keys[:2] == ["__typename", "id"]
        assert ("__parentId" in keys) == (node["__typename"] != "Product")
        assert node["__typename"] == "Product" or keys[-1] == "__parentId"
    product = next(node for node in nodes(plain) if node["__typename"] == "Product")
    assert " ".join(product) == (
        "__typename id legacyResourceId handle title descriptionHtml vendor productType status tags isGiftCard "
        "templateSuffix createdAt updatedAt publishedAt totalInventory tracksInventory hasOnlyDefaultVariant "
        "requiresSellingPlan seo category featuredMedia options priceRangeV2"
    )
    variant = next(node for node in nodes(plain) if node["__typename"] == "ProductVariant")
    assert " ".join(variant) == (
        "__typename id legacyResourceId title sku barcode price compareAtPrice position taxable inventoryPolicy "
        "inventoryQuantity availableForSale createdAt updatedAt selectedOptions inventoryItem __parentId"
    )


def test_a_grouped_file_has_no_orphans_and_no_node_twice_under_one_parent(plain: bytes) -> None:
    seen: set[str] = set()
    identities: Counter[tuple[str | None, str]] = Counter()
    for node in nodes(plain):
        parent = node.get("__parentId")
        assert parent is None or parent in seen
        seen.add(node["id"])
        identities[parent, node["id"]] += 1
    assert max(identities.values()) == 1
    handles = [node["handle"] for node in nodes(plain) if "handle" in node]
    assert len(set(handles)) == PRODUCTS


def test_ids_of_different_nodes_never_meet() -> None:
    """Also far apart: a catalogue of a million goods has no id twice."""
    ids = [
        (node["__typename"], node["id"])
        for index in (*range(40), *range(999_960, 1_000_000))
        for node in map(json.loads, product_lines(0, index))
    ]
    assert len(set(ids)) == len(ids)
    assert len({node_id.rpartition("/")[2] for _, node_id in ids}) == len(ids)


def test_values_are_as_shopify_sends_them(plain: bytes) -> None:
    for node in nodes(plain):
        if node["__typename"] == "Product":
            assert node["legacyResourceId"] == node["id"].rpartition("/")[2]
            assert 1000 < len(node["descriptionHtml"].encode()) < 3500
            prices = [node["priceRangeV2"][end]["amount"] for end in ("minVariantPrice", "maxVariantPrice")]
            assert all(p == str(float(p)) for p in prices)
        elif node["__typename"] == "ProductVariant":
            assert node["price"] == f"{float(node['price']):.2f}"
            assert isinstance(node["inventoryItem"]["measurement"]["weight"]["value"], float)
    variants = [node for node in nodes(plain) if node["__typename"] == "ProductVariant"]
    assert sum(node["compareAtPrice"] is None for node in variants) > len(variants) / 2
    assert {node["__typename"] for node in nodes(plain)} == ALL_NODES


def test_counts_of_a_product_follow_from_its_variants(plain: bytes) -> None:
    products = {node["id"]: node for node in nodes(plain) if node["__typename"] == "Product"}
    stock: Counter[str] = Counter()
    prices: dict[str, list[float]] = {}
    for node in nodes(plain):
        if node["__typename"] == "ProductVariant":
            stock[node["__parentId"]] += node["inventoryQuantity"]
            prices.setdefault(node["__parentId"], []).append(float(node["price"]))
    for product_id, product in products.items():
        assert product["totalInventory"] == stock[product_id]
        assert float(product["priceRangeV2"]["minVariantPrice"]["amount"]) == min(prices[product_id])
        assert float(product["priceRangeV2"]["maxVariantPrice"]["amount"]) == max(prices[product_id])
        assert product["hasOnlyDefaultVariant"] == (len(prices[product_id]) == 1)


def test_the_summary_counts_what_is_written() -> None:
    data, summary = written(faults=list(Fault))
    assert summary.bytes == len(data)
    assert summary.lines == data.count(b"\n")
    assert sum(summary.nodes.values()) + sum(summary.faults.values()) == summary.lines
    assert summary.faults == dict.fromkeys(Fault, 1)


def test_the_size_is_near_the_figures_of_a_real_shop() -> None:
    _, summary = written(products=3000)
    assert 4.2 < summary.lines / 3000 < 4.5
    assert 1000 < summary.bytes / summary.lines < 1200


def test_the_same_catalogue_is_the_same_bytes_and_another_seed_is_another(plain: bytes) -> None:
    assert written()[0] == plain
    assert written(seed=1)[0] != plain


def test_a_part_of_a_catalogue_is_those_goods_of_the_whole(plain: bytes) -> None:
    part, _ = written(products=50, first_product=100)
    assert part in plain


def test_a_changed_share_changes_that_share_and_only_what_it_says() -> None:
    before = {n["id"]: n for n in nodes(written(products=3000, variant_media_share=0)[0])}
    data, summary = written(products=3000, variant_media_share=0, changed_share=0.01)
    after = {n["id"]: n for n in nodes(data)}
    assert list(before) == list(after)
    changed = [i for i in after if after[i] != before[i] and after[i]["__typename"] == "Product"]
    assert len(changed) == summary.changed
    assert 15 <= len(changed) <= 50
    for product_id in changed:
        old, new = before[product_id], after[product_id]
        assert new["updatedAt"] > old["updatedAt"]
        assert {key for key in new if new[key] != old[key]} <= {
            "title",
            "descriptionHtml",
            "updatedAt",
            "priceRangeV2",
            "seo",
        }
    others = {after[i]["__parentId"] for i in after if after[i] != before[i] and "__parentId" in after[i]}
    assert others == set(changed)


def test_each_revision_is_later_and_changes_its_own_goods() -> None:
    first = nodes(written(products=2000, changed_share=0.01, revision=1)[0])
    second = nodes(written(products=2000, changed_share=0.01, revision=2)[0])

    def changed(lines: list[dict[str, Any]]) -> dict[str, str]:
        return {n["id"]: n["updatedAt"] for n in lines if n.get("updatedAt", "") > "2025-11" and "handle" in n}

    assert changed(first)
    assert set(changed(first)) != set(changed(second))
    assert max(changed(first).values()) < min(changed(second).values())


def test_a_shuffled_file_holds_the_same_lines_with_children_before_parents(plain: bytes) -> None:
    shuffled, _ = written(shuffled=True)
    assert shuffled != plain
    assert Counter(shuffled.splitlines()) == Counter(plain.splitlines())
    first_child = next(node for node in nodes(shuffled) if "__parentId" in node)
    position = {node["id"]: i for i, node in enumerate(nodes(shuffled))}
    assert any(position[node["__parentId"]] > i for i, node in enumerate(nodes(shuffled)) if "__parentId" in node), (
        first_child
    )


def test_gzip_by_extension_is_the_same_content_and_the_same_bytes_each_time(tmp_path: Path, plain: bytes) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_products(tmp_path / name, PRODUCTS)
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == plain
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    write_products(tmp_path / "c.jsonl", PRODUCTS)
    assert (tmp_path / "c.jsonl").read_bytes() == plain


def test_pictures_of_variants_are_pictures_of_their_product() -> None:
    lines = nodes(written(variant_media_share=1.0)[0])
    of_product = {(n["__parentId"], n["id"]) for n in lines if "mediaContentType" in n}
    product_of = {n["id"]: n["__parentId"] for n in lines if n["__typename"] == "ProductVariant"}
    links = [n for n in lines if n.get("__parentId") in product_of]
    assert links
    assert all(list(n) == ["__typename", "id", "__parentId"] for n in links)
    assert all((product_of[n["__parentId"]], n["id"]) in of_product for n in links)
    assert not [n for n in nodes(written(variant_media_share=0)[0]) if n.get("__parentId") in product_of]


def test_bad_lines_stand_among_the_good_ones_and_are_bad_as_named(plain: bytes) -> None:
    data, _ = written(faults=list(Fault), shuffled=False)
    good = set(plain.splitlines())
    bad = [line for line in data.splitlines() if line not in good]
    assert len(bad) == len(Fault)
    assert [line for line in data.splitlines() if line in good] == plain.splitlines()
    by_fault = dict(zip(Fault, bad, strict=True))
    with pytest.raises(json.JSONDecodeError):
        json.loads(by_fault[Fault.MALFORMED])
    with pytest.raises(UnicodeDecodeError):
        by_fault[Fault.INVALID_UTF8].decode()
    parsed = {f: json.loads(b) for f, b in by_fault.items() if f not in {Fault.MALFORMED, Fault.INVALID_UTF8}}
    assert isinstance(parsed[Fault.NOT_AN_OBJECT], list)
    assert parsed[Fault.UNKNOWN_TYPE]["__typename"] not in ALL_NODES
    assert "title" not in parsed[Fault.MISSING_TITLE]
    assert parsed[Fault.NULL_TITLE]["title"] is None
    assert parsed[Fault.UNKNOWN_STATUS]["status"] not in {"ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED"}
    assert len(parsed[Fault.OVERLONG_VENDOR]["vendor"]) > 255
    assert "\x00" in parsed[Fault.NUL_CHARACTER]["title"]
    assert parsed[Fault.BAD_PRICE]["price"] == "gratis"
    assert float(parsed[Fault.NUMBER_TOO_LARGE]["price"]) >= 1e10
    ids = {n["id"] for n in nodes(plain)}
    assert parsed[Fault.ORPHAN]["__parentId"] not in ids


def test_the_lines_are_those_of_the_recorded_query() -> None:
    query = Path(__file__).parents[3] / "shared/data/shopify/queries/products.graphql"
    if not query.exists():
        pytest.skip("needs ../shared/data/shopify/queries/products.graphql")
    pytest.importorskip("graphql")
    selected = _selections(query.read_text(encoding="utf-8"))
    for node in nodes(written(variant_media_share=0)[0]):
        keys = [key for key in node if key != "__parentId"]
        assert keys == [key for key in selected[node["__typename"]] if key not in _CONNECTIONS]


_CONNECTIONS = {"variants", "media", "metafields"}


def _selections(text: str) -> dict[str, list[str]]:
    """The selected fields by node type, inline fragments applied."""
    from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse

    def field(selection: SelectionSetNode | None, name: str) -> FieldNode:
        assert selection is not None
        return next(f for f in selection.selections if isinstance(f, FieldNode) and f.name.value == name)

    def node(selection: SelectionSetNode | None, connection: str) -> SelectionSetNode:
        edges = field(field(selection, connection).selection_set, "edges")
        chosen = field(edges.selection_set, "node").selection_set
        assert chosen is not None
        return chosen

    def names(selection: SelectionSetNode) -> list[str]:
        return [f.name.value for f in selection.selections if isinstance(f, FieldNode)]

    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    product = node(operation.selection_set, "products")
    media = node(product, "media")
    selected = {
        "Product": names(product),
        "ProductVariant": names(node(product, "variants")),
        "Metafield": names(node(product, "metafields")),
    }
    for part in media.selections:
        if isinstance(part, InlineFragmentNode):
            selected[part.type_condition.name.value] = names(media) + names(part.selection_set)
    return selected
