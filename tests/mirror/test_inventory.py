"""Inventory: items and levels, and the ledger of available quantities that follows them."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import river as steps
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.sandbox.wire import encode_line
from tests.database import rows
from tests.mirror.lines import CHANGED, DOMAIN, LATER, River, fates, gid, moment, product, variant, written
from tests.mirror.test_sandbox_results import document
from tests.sandbox.admin_client import AdminClient

LEVELS, LEDGER = "pipeline.inventory_levels", "inventory_ledger"
DEPOT, SHOWROOM = gid("Location", 1), gid("Location", 2)
EVEN_LATER = "2026-03-03T10:00:00Z"


def item(number: int = 10, **fields: Any) -> bytes:
    node = {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", number),
        "legacyResourceId": str(number),
        "sku": f"FER-{number}",
        "tracked": True,
        "requiresShipping": True,
        "countryCodeOfOrigin": "RO",
        "harmonizedSystemCode": "820150",
        "unitCost": {"amount": "31.5", "currencyCode": "RON"},
        "updatedAt": CHANGED,
    }
    return encode_line(node | fields)


def level(available: int | None, number: int = 10, location: str = DEPOT, **fields: Any) -> bytes:
    """What the bulk query gives of the item `number` at a location."""
    quantities = {"available": available, "on_hand": 9, "committed": 2}
    node = {
        "__typename": "InventoryLevel",
        "id": f"gid://shopify/InventoryLevel/{location[-1]}?inventory_item_id={number}",
        "updatedAt": CHANGED,
        "item": {"id": gid("InventoryItem", number)},
        "location": {"id": location},
        "quantities": [
            {"name": name, "quantity": quantity, "updatedAt": None}
            for name, quantity in quantities.items()
            if quantity is not None
        ],
    }
    return encode_line(node | fields, gid("InventoryItem", number))


def reading(available: int | None, key: str, number: int = 10, location: str = DEPOT, **fields: Any) -> bytes:
    """What a webhook says of a level."""
    node = {
        "__typename": "InventoryLevel",
        "id": f"gid://shopify/InventoryLevel/{location[-1]}?inventory_item_id={number}",
        "updatedAt": CHANGED,
        "item": {"id": gid("InventoryItem", number)},
        "location": {"id": location},
        "available": available,
        "webhookKey": key,
    }
    return encode_line(node | fields, gid("InventoryItem", number))


@pytest.fixture
def stocked(river: River) -> River:
    """The river of a shop that has the variants of the items 10 and 11."""
    with river.database.connect(Role.ADMIN) as connection:
        shop = river.shops[DOMAIN]
        of = rows.product(connection, shop)
        for n in (10, 11):
            rows.variant(
                connection, shop, of, n, sku=f"FER-{n}", cost="31.50", inventory_item_id=gid("InventoryItem", n)
            )
    return river


def load(river: River, *lines: bytes, day: int = 5, **more: Any) -> Any:
    return river.load(lines, resource="inventory", as_of=moment(day), **more)


def entries(river: River) -> list[tuple[Any, ...]]:
    return river.query(f"SELECT previous_quantity, delta, new_quantity, reference_type FROM {LEDGER} ORDER BY id")


def test_items_and_levels_become_rows_and_the_first_reading_an_entry(stocked: River) -> None:
    report = load(stocked, item(), level(5), level(0, location=SHOWROOM))
    assert written(report) == {"pipeline.inventory_items": (1, 0, 0), LEVELS: (2, 0, 0), LEDGER: (2, 0, 0)}
    assert stocked.query(
        f"SELECT l.available, l.on_hand, l.committed, l.incoming, v.sku FROM {LEVELS} l"
        " JOIN shopify_variants v ON v.id = l.variant_id ORDER BY location_gid"
    ) == [(5, 9, 2, None, "FER-10"), (0, 9, 2, None, "FER-10")]
    assert stocked.one("SELECT sku, tracked, unit_cost::text FROM pipeline.inventory_items") == (
        "FER-10",
        True,
        "31.50",
    )
    assert stocked.query(
        f"SELECT location_id, sku, delta, reason, reference_type, reference_id, cost_per_unit::text"
        f" FROM {LEDGER} ORDER BY 1"
    ) == [
        (DEPOT, "FER-10", 5, "SYNC", "bulk_run", str(report.run_id), "31.50"),
        (SHOWROOM, "FER-10", 0, "SYNC", "bulk_run", str(report.run_id), "31.50"),
    ]


def test_the_same_again_appends_nothing(stocked: River) -> None:
    lines = [item(), level(5), level(3, location=SHOWROOM)]
    load(stocked, *lines)
    before, ledger = stocked.versions(), entries(stocked)
    assert written(load(stocked, *lines, day=6)) == {}
    assert written(load(stocked, *lines, day=6, snapshot=False)) == {}
    assert (stocked.versions(), entries(stocked)) == (before, ledger)


def test_each_change_is_one_entry_that_begins_where_the_one_before_ended(stocked: River) -> None:
    load(stocked, item(), level(5))
    first = load(stocked, reading(3, "w-1", updatedAt=LATER), day=6, snapshot=False)
    assert written(first) == {LEVELS: (0, 1, 0), LEDGER: (1, 0, 0)}
    assert stocked.one(f"SELECT on_hand FROM {LEVELS}") == 9, "a webhook does not say it, so it stays"
    load(stocked, reading(3, "w-2", updatedAt=LATER), day=7, snapshot=False)
    load(stocked, item(), level(8, updatedAt=EVEN_LATER), day=8)
    assert entries(stocked) == [(0, 5, 5, "bulk_run"), (5, -2, 3, "webhook"), (3, 5, 8, "bulk_run")]
    assert stocked.query(f"SELECT reference_id FROM {LEDGER} WHERE reference_type = 'webhook'") == [("w-1",)]
    assert stocked.query(f"SELECT recorded_at = %s FROM {LEDGER} ORDER BY id", LATER) == [(False,), (True,), (False,)]


def test_older_after_newer_does_not_count(stocked: River) -> None:
    load(stocked, item(), level(5, updatedAt=LATER), day=6)
    before = stocked.versions()
    report = load(stocked, reading(9, "w-0"), day=7, snapshot=False)
    assert fates(report) == {"InventoryLevel": (0, 0, 0, 1)}
    load(stocked, reading(7, "w-1", updatedAt=LATER), day=5, snapshot=False)
    assert stocked.versions() == before
    assert entries(stocked) == [(0, 5, 5, "bulk_run")]


def test_a_level_whose_variant_is_not_there_waits_for_it(river: River) -> None:
    report = load(river, item(), level(5))
    assert [note for note in report.stage.notes if "shopify_variants" in note]
    assert written(report) == {"pipeline.inventory_items": (1, 0, 0), LEVELS: (1, 0, 0)}
    river.load([product(1), variant(10, 1, inventoryItem={"id": gid("InventoryItem", 10)})], as_of=moment(6))

    assert written(load(river, item(), level(5), day=7)) == {LEVELS: (0, 1, 0), LEDGER: (1, 0, 0)}

    assert entries(river) == [(0, 5, 5, "bulk_run")]
    assert written(load(river, item(), level(5), day=8)) == {}


def test_what_is_not_counted_is_nothing(stocked: River) -> None:
    load(stocked, level(5))
    load(stocked, reading(None, "w-1", updatedAt=LATER), day=6, snapshot=False)
    assert stocked.one(f"SELECT available FROM {LEVELS}") is None
    assert entries(stocked)[1:] == [(5, -5, 0, "webhook")]


def test_a_variant_or_a_level_that_goes_closes_its_entries(stocked: River) -> None:
    load(stocked, item(), level(5), level(2, location=SHOWROOM), item(11), level(4, 11))
    stocked.do(f"DELETE FROM {LEVELS} WHERE location_gid = %s", SHOWROOM)
    stocked.do("DELETE FROM shopify_variants WHERE sku = 'FER-11'")
    with stocked.database.connect(Role.ADMIN) as connection:
        # As a merge would: otherwise whoever changes a row makes its fingerprint unknown anyway.
        connection.execute(statement("mirror/begin_merge"))
        connection.execute(f"UPDATE {LEVELS} SET variant_id = NULL")
    assert entries(stocked)[3:] == [(2, -2, 0, None), (4, -4, 0, None), (5, -5, 0, None)]
    assert stocked.query(f"SELECT sum(delta) FROM {LEDGER} GROUP BY variant_id, location_id") == [(0,)] * 3
    assert stocked.query(f"SELECT fingerprint FROM {LEVELS}") == [(None,)]


def test_history_finds_partitions_of_its_own_months(stocked: River) -> None:
    load(
        stocked,
        item(),
        level(5, updatedAt="2019-02-03T10:00:00+02:00"),
        level(1, location=SHOWROOM, updatedAt="1970-01-01T00:00:00Z"),
    )
    assert stocked.query(f"SELECT delta, tableoid::regclass::text FROM {LEDGER} ORDER BY 1") == [
        (1, "inventory_ledger_default"),
        (5, "inventory_ledger_2019_02"),
    ]


def test_the_ledger_is_only_appended_to_and_only_by_what_happens_to_levels(stocked: River) -> None:
    load(stocked, item(), level(5))
    shop = stocked.shops[DOMAIN]
    for change in (f"UPDATE {LEDGER} SET delta = 0", f"DELETE FROM {LEDGER}", f"INSERT INTO {LEDGER} TABLE {LEDGER}"):
        with stocked.database.tenant(shop) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(change)
    with (
        stocked.database.connect(Role.PIPELINE) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"UPDATE {LEDGER} SET delta = 0")
    with stocked.database.tenant(shop) as connection:
        assert connection.execute(f"SELECT count(*) FROM {LEDGER}").fetchone() == (1,)


def test_a_tenant_neither_silences_the_ledger_nor_reads_other_shops_through_it(stocked: River) -> None:
    """The ledger is written by a role that sees every shop; what a tenant says must not make use of that."""
    load(stocked, item(), level(5))
    with stocked.database.tenant(stocked.shops[DOMAIN]) as connection:
        connection.execute("SELECT set_config('app.redaction', 'on', true)")
        connection.execute(f"UPDATE {LEVELS} SET available = 500")
    with stocked.database.tenant(stocked.shops["gradina.myshopify.com"]) as connection:
        connection.execute(
            f"INSERT INTO {LEVELS} (shop_id, shopify_gid, inventory_item_gid, location_gid, variant_id, available)"
            " VALUES (app_current_shop_id(), 'gid://shopify/InventoryLevel/7', 'i', 'l', %s, 1)",
            (stocked.one("SELECT id FROM shopify_variants ORDER BY sku LIMIT 1"),),
        )
    assert [entry[:3] for entry in entries(stocked)] == [(0, 5, 5), (5, 495, 500)]


def test_another_shops_variant_is_never_found(stocked: River) -> None:
    """Items are one shop's; a file that names another's finds nothing."""
    report = stocked.load([level(5)], resource="inventory", domain="gradina.myshopify.com", as_of=moment(5))
    assert report.tables[LEDGER].inserted == 0
    assert stocked.query(f"SELECT variant_id FROM {LEVELS}") == [(None,)]


def test_writers_at_once_make_one_exact_chain(stocked: River) -> None:
    """Whoever writes: not only loads, which wait for each other anyway."""
    load(stocked, item(), level(0))
    shop = stocked.shops[DOMAIN]

    def sell(_: int) -> None:
        for _ in range(15):
            with stocked.database.tenant(shop) as connection:
                connection.execute(f"UPDATE {LEVELS} SET available = available + 1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sell, range(4)))

    assert stocked.one(f"SELECT available FROM {LEVELS}") == 60
    assert [(before, after) for before, _, after, _ in entries(stocked)[1:]] == [(n, n + 1) for n in range(60)]


def test_loads_at_once_make_one_exact_chain(stocked: River) -> None:
    load(stocked, item(), level(0))

    def write(number: int) -> None:
        file = stocked.folder / f"{number}.jsonl"
        file.write_bytes(reading(number, f"w-{number}", updatedAt=f"2026-03-02T10:00:0{number}Z"))
        steps.load_file(
            stocked.database,
            stocked.settings,
            shop_domain=DOMAIN,
            resource="inventory",
            source=str(file),
            as_of=moment(6),
            snapshot=False,
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, (4, 1, 3, 2)))

    chain = entries(stocked)
    assert stocked.one(f"SELECT available FROM {LEVELS}") == chain[-1][2] == 4
    assert [entry[0] for entry in chain[1:]] == [entry[2] for entry in chain[:-1]]


def test_what_is_sold_in_a_shop_is_in_its_ledger(river: River) -> None:
    shop = GeneratedShop(DOMAIN, seed=4, products=6, orders=0, customers=0, collections=0, metaobjects=0)
    with Sandbox([shop]) as sandbox:
        admin = AdminClient(sandbox, DOMAIN)

        def sync(day: int) -> Any:
            river.load(admin.bulk(document("products")), as_of=moment(day))
            return load(river, admin.bulk(document("inventory")), day=day)

        sync(5)
        level_gid, before = river.query(f"SELECT shopify_gid, available FROM {LEVELS} ORDER BY 1 LIMIT 1")[0]
        sandbox.shop(DOMAIN).set_stock(level_gid, available=before - 3)
        report = sync(6)

    assert report.tables[LEDGER].inserted == 1
    sold = f"SELECT previous_quantity, new_quantity FROM {LEDGER} WHERE reference_id = %s"
    assert river.query(sold, str(report.run_id)) == [(before, before - 3)]
    with river.database.connect(Role.PIPELINE) as connection:
        for question in ("broken_chains", "deltas_and_quantities", "variants_and_levels"):
            ((_, compared, wrong, example),) = connection.execute(statement(f"inventory/{question}")).fetchall()
            assert compared > 6
            assert wrong == 0, example


READINGS = st.lists(st.tuples(st.integers(1, 2), st.integers(1, 4)), min_size=1, max_size=5)
"""Of a location, at an hour."""


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    quantities=st.lists(st.integers(-2, 9), min_size=8, max_size=8),
    files=st.lists(st.tuples(st.booleans(), READINGS), min_size=1, max_size=3),
)
def test_any_order_split_and_repetition_ends_alike(
    stocked: River, quantities: list[int], files: list[tuple[bool, list[tuple[int, int]]]]
) -> None:
    empty(stocked)
    for n, (by_webhook, readings) in enumerate(files):
        form = partial(reading, key=f"w-{n}") if by_webhook else level
        lines = [
            form(
                quantities[(place - 1) * 4 + hour - 1],
                location=gid("Location", place),
                updatedAt=f"2026-03-02T{hour:02}:00:00Z",
            )
            for place, hour in readings
        ]
        load(stocked, *lines, day=6, snapshot=False)

    newest: dict[int, int] = {}
    for place, hour in (one for _, readings in files for one in readings):
        newest[place] = max(hour, newest.get(place, 0))
    wanted = {gid("Location", place): quantities[(place - 1) * 4 + hour - 1] for place, hour in newest.items()}
    assert dict(stocked.query(f"SELECT location_gid, available FROM {LEVELS}")) == wanted
    assert dict(stocked.query(f"SELECT location_id, sum(delta) FROM {LEDGER} GROUP BY 1")) == wanted
    with stocked.database.connect(Role.PIPELINE) as connection:
        for question in ("inventory/broken_chains", "inventory/deltas_and_quantities"):
            ((_, _, wrong, example),) = connection.execute(statement(question)).fetchall()
            assert wrong == 0, example


def empty(river: River) -> None:
    """No level was ever read."""
    with river.database.connect(Role.ADMIN) as connection:
        connection.execute("SET LOCAL session_replication_role TO replica")
        connection.execute(f"DELETE FROM {LEVELS}")
        connection.execute(f"DELETE FROM {LEDGER}")
