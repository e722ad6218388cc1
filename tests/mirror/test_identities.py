"""What hashes of identities show of the staged rows: the same as the identities themselves."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.mirror import identities
from neanelu_pipelines.mirror.identities import Identities, Seen, seen_children, seen_entity, seen_links
from neanelu_pipelines.mirror.resources import RESOURCES

PRODUCTS = RESOURCES["products"]
PRODUCT, VARIANT, MEDIA = (PRODUCTS.entity(f"shopify_{name}") for name in ("products", "variants", "media"))
NUMBERS = st.integers(1, 4)


def gids(node: str, numbers: list[int]) -> pl.Series:
    return pl.Series([f"gid://shopify/{node}/{number}" for number in numbers], dtype=pl.String)


def of_products(numbers: list[int]) -> Seen:
    return seen_entity(PRODUCT, pl.DataFrame({"shopify_gid": gids("Product", numbers)}))


def of_variants(pairs: list[tuple[int, int]]) -> Seen:
    numbers, products = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    rows = {"shopify_gid": gids("ProductVariant", numbers), "product_gid": gids("Product", products)}
    return seen_entity(VARIANT, pl.DataFrame(rows))


def of_metafields(pairs: list[tuple[int, int]]) -> Seen:
    rows = {"parent_gid": gids("Product", [pair[0] for pair in pairs]), "key": [f"k.{pair[1]}" for pair in pairs]}
    return seen_children(PRODUCT, PRODUCT.children[0], pl.DataFrame(rows, schema_overrides={"key": pl.String}))


def of_links(pairs: list[tuple[int, int]]) -> Seen:
    rows = {
        "parent_gid": gids("Product", [pair[0] for pair in pairs]),
        "child_gid": gids("MediaImage", [pair[1] for pair in pairs]),
    }
    return seen_links(PRODUCT, PRODUCT.links[0], pl.DataFrame(rows))


def of_media(numbers: list[int]) -> Seen:
    return seen_entity(MEDIA, pl.DataFrame({"shopify_gid": gids("MediaImage", numbers)}))


@given(
    products=st.lists(NUMBERS),
    variants=st.lists(st.tuples(NUMBERS, NUMBERS)),
    metafields=st.lists(st.tuples(NUMBERS, NUMBERS)),
    media=st.lists(NUMBERS),
    links=st.lists(st.tuples(NUMBERS, NUMBERS)),
    blocks=st.integers(1, 3),
)
def test_they_agree_where_each_row_is_alone_and_all_that_are_named_are_there(
    products: list[int],
    variants: list[tuple[int, int]],
    metafields: list[tuple[int, int]],
    media: list[int],
    links: list[tuple[int, int]],
    blocks: int,
) -> None:
    seen = Identities()
    for block in range(blocks):  # What is named may come in a later block, and a row again in another.
        seen.add([of_variants(variants[block::blocks]), of_metafields(metafields[block::blocks])])
        seen.add([of_links(links[block::blocks]), of_products(products[block::blocks]), of_media(media[block::blocks])])

    numbers = [number for number, _ in variants]
    alone = all(len(set(rows)) == len(rows) for rows in (products, numbers, metafields, media, links))
    parents = {parent for _, parent in variants} | {parent for parent, _ in [*metafields, *links]}
    there = parents <= set(products) and {child for _, child in links} <= set(media)
    assert seen.agree() == (alone and there)


def test_of_more_rows_than_can_be_kept_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, "_MOST", 3)
    seen = Identities()
    seen.add([of_products([1, 2, 3])])
    assert seen.agree()
    seen.add([of_products([4])])
    assert not seen.agree()
    seen.add([])
    assert not seen.agree()


def test_a_row_that_names_nothing_is_an_orphan() -> None:
    rows = {"shopify_gid": gids("ProductVariant", [1]), "product_gid": pl.Series([None], dtype=pl.String)}
    seen = Identities()
    seen.add([of_products([1]), seen_entity(VARIANT, pl.DataFrame(rows))])
    assert not seen.agree()
