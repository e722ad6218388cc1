"""The big shop's measurement, on a shop as small as can be: its figures are of what was loaded."""

from pathlib import Path

from benchmarks.contender import Shop
from benchmarks.databases import DOMAIN, insert_shop
from benchmarks.shop import measure
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.sandbox.admin import GeneratedShop


def test_the_figures_are_of_the_shop_that_was_loaded(database: Database, tmp_path: Path) -> None:
    shop = Shop(insert_shop(database), DOMAIN)
    spec = GeneratedShop(DOMAIN, products=5, orders=0, customers=30)

    (prepared,) = measure(database, shop, spec, tmp_path, ["customers"], load=False)
    assert prepared["mb"] == round((tmp_path / "customers.jsonl").stat().st_size / 1e6, 1)

    # The file is there: no sandbox is asked, and whatever a sandbox would say now does not matter.
    (found,) = measure(database, shop, GeneratedShop(DOMAIN, customers=99), tmp_path, ["customers"])
    assert found["rows"] == {"shopify_customers": 30}
    assert found["lines"] == len((tmp_path / "customers.jsonl").read_bytes().splitlines())
    assert 20 < found["peak_mb"] < 1000
    assert found["lines_per_second"] > 0
    assert found["times_the_floor"] > 0
    with database.connect(Role.ADMIN) as connection:
        assert connection.execute("SELECT count(*) FROM shopify_customers").fetchone() == (30,)
