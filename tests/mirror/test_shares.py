"""How a big load is shared out: each row is somebody's, and nobody's twice; and the connections that take them."""

from uuid import uuid4

import pytest

from neanelu_pipelines.mirror.merge import shares
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.transactions import tenant_transactions
from tests.mirror.lines import DOMAIN, River


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7, 16, 40])
def test_every_part_is_in_exactly_one_share(workers: int) -> None:
    """Whatever the number of workers: no gap, no overlap, and a large share for each of them first."""
    dealt = shares(workers)
    parts = [part for first, last in dealt for part in range(first, last + 1)]

    assert parts == list(range(61))
    assert len(dealt) >= workers
    sizes = [last - first for first, last in dealt]
    assert len(set(sizes[:workers])) == 1
    assert max(sizes) == sizes[0]


def test_a_merge_uses_its_connections_again_but_not_one_that_failed(river: River) -> None:
    """Each transaction knows its shop for itself; a failed one leaves nothing behind, and its connection is let go."""
    shop = river.shops[DOMAIN]
    load = LoadRun(uuid4(), shop, DOMAIN, "products", "", 0, "")
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
