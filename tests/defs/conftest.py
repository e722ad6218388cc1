"""What tests of the Dagster room share: a shop, offices, the location over a test's own database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.sandbox.admin import GeneratedShop, Pace, Sandbox
from neanelu_pipelines.sandbox.shop.generated import SCOPES
from neanelu_pipelines.settings import Settings
from tests.defs.office import MakeOffice, Office
from tests.defs.shops import SHOP


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, home=tmp_path)


@pytest.fixture
def warehouse(database: Database, settings: Settings) -> Warehouse:
    return Warehouse(database, settings)


@pytest.fixture
def run_load(warehouse: Warehouse, instance: dg.DagsterInstance) -> Callable[..., dg.ExecuteInProcessResult]:
    """Load a file of SHOP through the job of the location."""
    instance.add_dynamic_partitions(str(SHOPS.name), [SHOP])
    job = build_defs(warehouse=warehouse).resolve_job_def("load_products")

    def run(
        source: Path | None, *, steps: list[dg.AssetKey] | None = None, as_of: str | None = None
    ) -> dg.ExecuteInProcessResult:
        config = {"ops": {"products_load": {"config": {"source": str(source), "as_of": as_of}}}} if source else {}
        return job.execute_in_process(
            instance=instance, partition_key=SHOP, run_config=config, asset_selection=steps, raise_on_error=False
        )

    return run


@pytest.fixture(scope="session")
def _served() -> Iterator[tuple[Sandbox, Iterator[str]]]:
    made = [GeneratedShop(f"gradina-{number}.myshopify.com", seed=number, products=12) for number in range(40)]
    with Sandbox(
        [
            *made,
            GeneratedShop("fara-drept.myshopify.com", scopes=("read_orders",)),
            *(
                GeneratedShop(
                    f"fara-{scope.replace('_', '-')}.myshopify.com",
                    products=3,
                    orders=3,
                    customers=3,
                    scopes=tuple(set(SCOPES) - {scope}),
                )
                for scope in ("read_customers", "read_publications", "read_all_orders")
            ),
        ],
        bucket=(20_000, 10_000),
    ) as one:
        yield one, iter([shop.domain for shop in made])


@pytest.fixture
def make_office(
    _served: tuple[Sandbox, Iterator[str]], database: Database, tmp_path: Path, instance: dg.DagsterInstance
) -> Iterator[MakeOffice]:
    sandbox, unused = _served

    def make(domain: str | None = None, pace: Pace | None = None) -> Office:
        domain = domain or next(unused)
        if pace:
            sandbox.bulk(domain).pace = pace
        return Office(sandbox, domain, database, tmp_path, instance)

    yield make
    sandbox.faults.clear()
