"""How a big load is shared out: each row is somebody's, and nobody's twice; and the connections that take them."""

from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.shares import WHOLE, shares
from neanelu_pipelines.mirror.transactions import tenant_transactions
from tests.mirror.lines import DOMAIN, River


@given(pages=st.integers(0, 2_000_000), workers=st.integers(1, 16), uneven=st.booleans())
def test_every_page_is_in_exactly_one_share(pages: int, workers: int, uneven: bool) -> None:
    """Whatever the number of workers: no gap, no overlap."""
    dealt = shares(pages, workers, uneven=uneven)

    assert dealt[0].first == WHOLE.first
    assert dealt[-1].end == WHOLE.end
    assert all(before.end == after.first for before, after in pairwise(dealt))
    assert all(share.first < share.end for share in dealt)


def test_where_rows_take_unevenly_long_large_shares_come_first_and_small_ones_are_left() -> None:
    """A worker that is done first takes one of the small ones."""
    assert [share.first for share in shares(1000, 2, uneven=False)] == [0, 500]
    assert [share.first for share in shares(1000, 2, uneven=True)] == [0, 400, 800, 900]


def test_a_merge_uses_its_connections_again_but_not_one_that_failed(river: River) -> None:
    """Each transaction knows its shop for itself; a failed one leaves nothing behind, and its connection is let go."""
    shop = river.shops[DOMAIN]
    load = LoadRun(uuid4(), shop, DOMAIN, "products", "", 0, "")
    running = (
        "INSERT INTO bulk_runs (id, shop_id, operation_type, status) VALUES (%s, %s, 'PRODUCTS_EXPORT', 'running')"
    )
    river.do(running, load.run_id, shop)
    with tenant_transactions(river.database, load, rows=1) as begin:
        with begin() as connection:
            used = connection
            assert connection.execute("SELECT app_current_shop_id()").fetchone() == (shop,)
        assert connection.execute("SELECT app_current_shop_id()").fetchone() == (None,)
        connection.rollback()
        with begin() as connection, begin() as beside:
            assert connection is used
            assert beside is not used
        with pytest.raises(ZeroDivisionError), begin() as connection:
            1 / 0  # noqa: B018
        with begin() as left, begin() as new:
            assert connection not in (left, new)
            assert new not in (used, beside)
    assert all(one.closed for one in (used, beside, new))
