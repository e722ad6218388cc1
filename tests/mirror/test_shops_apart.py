"""What one shop's load leaves alone: whatever is another's, though it has the same GIDs."""

import pytest
from psycopg import errors

from neanelu_pipelines.mirror import river as steps
from tests.mirror.lines import (
    DOMAIN,
    OTHER_DOMAIN,
    River,
    catalogue,
    gid,
    media,
    metafield,
    moment,
    variant,
)

P1, V10 = gid("Product", 1), gid("ProductVariant", 10)


def test_the_same_gids_in_two_shops_are_two_rows(river: River) -> None:
    river.load(catalogue(vendor="Vecinul"), domain=OTHER_DOMAIN, as_of=moment(4))
    theirs = river.mirror(OTHER_DOMAIN)

    river.load(catalogue(), as_of=moment(5))

    assert river.mirror(OTHER_DOMAIN) == theirs
    assert {row[0] for row in river.query("SELECT vendor FROM shopify_products")} == {"Vecinul", "Grădinarul"}


def test_a_parent_in_another_shop_is_no_parent(river: River) -> None:
    river.load(catalogue(), domain=OTHER_DOMAIN, as_of=moment(4))
    before = river.versions()

    report = river.load([variant(90, 1), media(90, P1), metafield(90, P1), media(91, V10)], as_of=moment(5))

    assert [code for _, code in river.errors(report.run_id)] == ["orphan"] * 4
    assert river.versions() == before
    assert set(map(len, river.mirror().values())) == {0}


def test_a_staged_row_of_another_shop_never_reaches_its_mirror(river: River) -> None:
    """The merge is the tenant: even with another shop's id in the row, and its own in the run."""
    river.load(catalogue(), domain=OTHER_DOMAIN, as_of=moment(4))
    theirs = river.mirror(OTHER_DOMAIN)
    load = steps.open_load(
        river.database,
        river.settings,
        shop_domain=DOMAIN,
        resource="products",
        source=river.file(catalogue(vendor="Hoțul")),
        as_of=moment(5),
    )
    steps.stage(river.database, river.settings, load)
    for table in ("staging_products", "staging_variants", "pipeline.staging_media"):
        river.do(f"UPDATE {table} SET shop_id = %s WHERE bulk_run_id = %s", river.shops[OTHER_DOMAIN], load.run_id)

    tables = steps.merge(river.database, river.settings, load)

    assert river.mirror(OTHER_DOMAIN) == theirs
    assert {table: count.inserted for table, count in tables.items() if count.inserted} == {}


def test_the_tenant_cannot_write_into_another_shop(river: River) -> None:
    with river.database.tenant(river.shops[DOMAIN]) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(
            "INSERT INTO shopify_media (shop_id, shopify_gid, media_type, status) VALUES (%s, 'g', 'IMAGE', 'READY')",
            [river.shops[OTHER_DOMAIN]],
        )
