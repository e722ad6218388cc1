"""Orders that a whole export lacks are gone if the token could see all orders, then and now; otherwise nobody knows."""

from neanelu_pipelines.mirror.removals.snapshots import Removal, remove_missing
from tests.mirror.office import Office
from tests.mirror.test_snapshot_removals import Shop


def lacking_one(office: Office) -> tuple[str, Removal]:
    """An order is deleted in the shop: which, and what became of it after the next whole export."""
    office.sync()
    office.clock.tick(hours=1)
    gone = min(office.here(), key=lambda order: office.here()[order][0])
    office.shop.delete(gone)
    load = office.fetch()
    office.merge(load)
    with office.desk.client() as client:
        return gone, remove_missing(office.river.database, office.settings, load, client)


def test_an_order_that_was_deleted_goes_with_a_record(office: Office) -> None:
    office.may("read_orders", "read_all_orders")
    gone, done = lacking_one(office)

    assert (done.outcome, done.tables) == ("removed", {"shopify_orders": 1})
    assert office.here() == office.there()
    assert office.river.one("SELECT count(*) FROM pipeline.removals WHERE shopify_gid = %s", gone) == 1


def test_where_the_token_saw_the_last_sixty_days_nothing_goes(office: Office) -> None:
    office.may("read_orders")
    gone, done = lacking_one(office)

    assert done.outcome == "unfit"
    assert "the shop's token lacked it" in done.reason
    assert gone in office.here()


def test_a_token_that_lost_the_scope_meanwhile_is_not_believed(office: Office) -> None:
    office.may("read_orders", "read_all_orders")
    office.sync()
    office.clock.tick(hours=1)
    gone = office.order(1)
    office.shop.delete(gone)
    load = office.fetch()
    office.merge(load)

    shop = Shop(gone={gone}, domain=office.desk.domain, scopes=("read_orders",))
    done = remove_missing(office.river.database, office.settings, load, shop)
    assert done.outcome == "refused"
    assert "lost the scope read_all_orders" in done.reason
    assert gone in office.here()

    shop.scopes = ("read_orders", "read_all_orders")
    assert remove_missing(office.river.database, office.settings, load, shop).tables == {"shopify_orders": 1}
