"""What a complete load could not take is owed: it is asked for again, and nothing else is."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from neanelu_pipelines.mirror.asking import WHOLE
from neanelu_pipelines.shopify.windows import Window
from tests.mirror.office import LAST, NOW, OVERLAP, Office


def refuse_order(office: Office) -> str:
    order = office.order(2)
    office.shop.update(order, displayFinancialStatus="CINE_STIE")
    return order


def refuse_line_item(office: Office) -> str:
    order = office.order(2)
    item = office.shop.node(order)["lineItems"][0]["id"]
    office.shop.update(item, quantity=10**12)
    return order


def mend(office: Office, order: str) -> None:
    """A later release takes the row as it is: in the shop nothing moved."""
    for gid_, edit in list(office.shop.overlay.edits.items()):
        edits = {name: value for name, value in edit.items() if name not in {"displayFinancialStatus", "quantity"}}
        office.shop.overlay.edits = {**office.shop.overlay.edits, gid_: edits}
    assert order in office.there()


@pytest.mark.parametrize("refuse", [refuse_order, refuse_line_item])
def test_what_was_rejected_is_asked_for_again(office: Office, refuse: Callable[[Office], str]) -> None:
    office.sync()
    changed = office.clock.tick(hours=1)
    order = refuse(office)
    office.clock.tick(hours=5)
    office.sync(LAST)

    owed = Window(changed, changed + timedelta(seconds=1))
    assert (office.through(), office.checkpoint().owed) == (office.clock.now, (owed,))
    office.assert_kept()

    mend(office, order)
    latest = Window(office.clock.now - timedelta(seconds=OVERLAP), office.clock.tick(hours=1))
    load = office.fetch(LAST)
    assert office.windows(load) == (owed, latest)
    office.merge(load)
    assert (office.through(), office.checkpoint().owed) == (office.clock.now, ())
    assert office.here() == office.there()


def test_a_row_that_was_rejected_and_changes_is_owed_no_more(office: Office) -> None:
    order = refuse_order(office)
    for reach in (WHOLE, LAST):
        office.clock.tick(hours=1)
        office.sync(reach)
        assert len(office.checkpoint().owed) == 1

    office.shop.update(order, displayFinancialStatus="PAID")
    office.clock.tick(hours=1)
    office.sync(LAST)
    assert office.checkpoint().owed == ()
    assert office.here() == office.there()


def test_what_is_rejected_deep_below_a_product_is_owed_with_the_product(office: Office) -> None:
    product = office.shop.rows("products", {}).node(0)
    office.shop.update(product["variants"][0]["id"], price="1000000000000.00")
    office.clock.tick(minutes=30)
    media = next(one["id"] for one in office.shop.rows("products", {}).node(1)["media"])
    office.shop.update(media, mediaContentType="MIROS")
    office.clock.tick(hours=1)
    office.sync(resource="products")

    at = [NOW, NOW + timedelta(minutes=30)]
    assert office.checkpoint("products").owed == tuple(Window(one, one + timedelta(seconds=1)) for one in at)
    assert office.through("products") == office.clock.now


def test_where_nobody_can_tell_what_was_rejected_nothing_counts(office: Office) -> None:
    office.sync()
    office.clock.tick(hours=1)
    office.change(1, "atenție")
    office.clock.tick(hours=1)
    load = office.fetch(LAST)
    lines = Path(load.artifact_path).read_bytes().splitlines(keepends=True)
    Path(load.artifact_path).write_bytes(b"".join([*lines[:-1], b"{" + lines[-1][1:-2] + b"\n"]))
    office.merge(load)

    told = office.checkpoint()
    assert (told.through, told.status, told.owed) == (NOW, "error", ())
    assert "nobody can tell" in str(told.error)
    office.sync(LAST)
    assert (office.through(), office.checkpoint().status) == (office.clock.now, "idle")
    assert office.here() == office.there()


def test_many_stretches_are_asked_for_as_one(office: Office) -> None:
    for number in range(21):
        office.shop.update(office.order(number), displayFinancialStatus="CINE_STIE")
        office.clock.tick(hours=1)
    office.sync()
    owed = Window(NOW, NOW + timedelta(hours=20, seconds=1))
    assert office.checkpoint().owed == (owed,)

    office.clock.tick(hours=1)
    latest = Window(NOW + timedelta(hours=21, seconds=-OVERLAP), office.clock.now)
    assert office.windows(office.fetch(LAST)) == (owed, latest)
