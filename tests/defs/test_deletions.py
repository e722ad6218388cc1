"""What was deleted in a sandbox's shop goes from its mirror as Dagster runs it: by whole exports, by Shopify's list."""

import base64
import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.deletions.assets import JOB, _attempt, _Sums
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror import river
from neanelu_pipelines.mirror.redaction import Customer, redact_customer
from neanelu_pipelines.mirror.removals.work import look_at, snapshots_waiting
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret
from neanelu_pipelines.shopify.documents import document, inlined
from neanelu_pipelines.shopify.vault import Keyring
from tests.shopify.bulk import Desk

DOMAIN = "gradina.myshopify.com"
NEIGHBOUR = "vecina.myshopify.com"
KEYS = "1:" + base64.b64encode(os.urandom(32)).decode()


class Office:
    """A sandbox's shop that is in the mirror."""

    def __init__(
        self, sandbox: Sandbox, database: Database, home: Path, instance: dg.DagsterInstance, domain: str = DOMAIN
    ) -> None:
        self.shop, self.database, self.instance = sandbox.shop(domain), database, instance
        self.settings = Settings(
            _env_file=None,
            home=home,
            encryption_keys=Secret(KEYS),
            shopify_url=sandbox.url_template,
            shopify_tries=1,
        )
        token = sandbox.token(domain)
        shop_id = shops.install(database, Keyring.parse(Secret(KEYS)), domain, Secret(token))
        self.desk = Desk(database.urls, sandbox.url_template, token, shop_id, home / "artifacts", domain)
        self.defs = build_defs(warehouse=Warehouse(database, self.settings), resources={})

    def export(self, resource: str = "products") -> Path:
        """A whole export that is merged; its artifact."""
        self.desk.export(inlined(document(resource), {"search": None}), resource)
        load = river.current_load(self.database, shop_domain=self.desk.domain, resource=resource)
        river.stage(self.database, self.settings, load)
        river.merge(self.database, self.settings, load)
        return Path(load.artifact_path)

    def tick(self) -> Any:
        sensor = self.defs.resolve_sensor_def("exports_merged")
        warehouse = Warehouse(self.database, self.settings)
        return sensor(dg.build_sensor_context(instance=self.instance, resources={"warehouse": warehouse}))

    def run(self, *, deletion_events: bool = False, **again: Any) -> dg.ExecuteInProcessResult:
        return self.defs.resolve_job_def(JOB).execute_in_process(
            instance=self.instance,
            run_config={"ops": {"ledger__removals": {"config": {"deletion_events": deletion_events, **again}}}},
        )

    def products(self) -> list[str]:
        of = "SELECT shopify_gid FROM shopify_products WHERE shop_id = %s ORDER BY 1"
        return [gid for (gid,) in self.desk.rows(of, self.desk.shop_id)]


@pytest.fixture
def offices(database: Database, tmp_path: Path, instance: dg.DagsterInstance) -> Iterator[Callable[[str], Office]]:
    made = [
        GeneratedShop(DOMAIN, seed=3, products=20, orders=3, collections=3, customers=5),
        GeneratedShop(NEIGHBOUR, seed=4, products=20),
    ]
    with Sandbox(made, bucket=(20_000, 10_000)) as sandbox:
        yield lambda domain: Office(sandbox, database, tmp_path, instance, domain)


@pytest.fixture
def office(offices: Callable[[str], Office]) -> Office:
    return offices(DOMAIN)


def figures(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_deleted_in_shopify_it_goes_after_the_next_whole_export(office: Office) -> None:
    office.export()
    first, second, *rest = office.products()
    assert figures(office.run())["rows_deleted"] == 0
    assert isinstance(office.tick(), dg.SkipReason)
    office.shop.delete(first)

    office.export()
    assert first in office.products(), "the load itself removes nothing"
    assert isinstance(office.tick(), dg.RunRequest)
    said = figures(office.run())

    assert office.products() == [second, *rest]
    assert said["deleted_shopify_products"] == 1
    assert (said["exports_looked_at"], said["exports_refused"]) == (1, 0)
    assert snapshots_waiting(office.database) == []
    assert office.desk.rows(
        "SELECT reason, confirmed FROM pipeline.removals WHERE with_gid IS NULL AND shopify_gid = %s", first
    ) == [("snapshot", True)]


def test_orders_go_too_where_the_token_may_read_all_of_them(office: Office) -> None:
    office.export("orders")
    office.run()
    ((gone,),) = office.desk.rows("SELECT min(shopify_gid) FROM shopify_orders WHERE shop_id = %s", office.desk.shop_id)
    office.shop.delete(gone)
    office.export("orders")

    assert isinstance(office.tick(), dg.RunRequest)
    assert figures(office.run())["deleted_shopify_orders"] == 1


def test_a_refused_export_warns_and_a_person_can_have_it_looked_at_again(office: Office) -> None:
    office.export()
    office.run()
    gone = office.products()[:12]
    for one in gone:
        office.shop.delete(one)
    office.export()

    refused = office.run()

    (check,) = refused.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    ((export,),) = office.desk.rows("SELECT bulk_run_id::text FROM bulk_steps WHERE metadata ->> 'outcome' = 'refused'")
    assert f"look_again: {export} and max_share" in str(check.description)
    idle = office.run()
    assert figures(idle)["exports_looked_at"] == 0, "by itself it is not looked at again"
    assert not idle.get_asset_check_evaluations()[0].passed, "it waits for a person still"

    again = office.run(look_again=export, max_share=0.9)

    assert again.get_asset_check_evaluations()[0].passed
    assert not set(gone) & set(office.products())


def test_shopifys_list_of_deletions_removes_without_an_export(office: Office) -> None:
    office.export()
    first, *rest = office.products()
    office.shop.delete(first)

    assert figures(office.run(deletion_events=True))["deleted_shopify_products"] == 1

    assert office.products() == rest
    assert office.desk.rows("SELECT reason FROM pipeline.removals WHERE shopify_gid = %s", first) == [
        ("deletion_event",)
    ]
    ((through, events),) = office.desk.rows(
        "SELECT last_sync_at, records_synced FROM sync_checkpoints WHERE resource_type = 'deletion_events'"
    )
    assert events == 1
    assert figures(office.run(deletion_events=True))["rows_deleted"] == 0
    assert office.desk.rows("SELECT last_sync_at FROM sync_checkpoints WHERE resource_type = 'deletion_events'") == [
        (through,)
    ]


def test_a_token_that_shopify_refuses_is_that_shops_matter_and_holds_up_no_other(office: Office) -> None:
    office.export()
    office.run()
    first = office.products()[0]
    office.shop.delete(first)
    office.export()
    spec = office.shop.spec
    office.shop.spec = dataclasses.replace(spec, token="shpat_revocat")

    result = office.run(deletion_events=True)

    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    said = str(check.description)
    assert f"The deletion events of {DOMAIN} cannot be had: Shopify does not accept the token (401)" in said
    assert f"Shopify cannot be asked whether what the export of products of {DOMAIN}" in said
    assert isinstance(office.tick(), dg.SkipReason), "nobody is asked again before somebody does something"

    office.shop.spec = spec
    office.export()
    assert office.run(deletion_events=True).get_asset_check_evaluations()[0].passed
    assert first not in office.products()


def test_a_shop_whose_token_does_not_open_fails_the_run_and_is_left_alone_a_while(office: Office) -> None:
    office.export()
    office.settings = office.settings.model_copy(
        update={"encryption_keys": Secret("1:" + base64.b64encode(bytes(32)).decode())}
    )
    office.defs = build_defs(warehouse=Warehouse(office.database, office.settings), resources={})

    result = office.defs.resolve_job_def(JOB).execute_in_process(instance=office.instance, raise_on_error=False)

    assert not result.success
    assert isinstance(office.tick(), dg.SkipReason)


def test_an_export_whose_file_a_redaction_took_holds_up_nobody(
    office: Office, offices: Callable[[str], Office]
) -> None:
    taken = office.export("customers")
    neighbour = offices(NEIGHBOUR)
    neighbour.export()
    missing, told_of, *rest = neighbour.products()
    neighbour.shop.delete(missing)
    neighbour.export()
    neighbour.shop.delete(told_of)
    first, second = snapshots_waiting(office.database)
    assert (first.resource, second.shop_domain) == ("customers", NEIGHBOUR), "it is the first that is looked at"
    ((number,),) = office.desk.rows("SELECT legacy_resource_id FROM shopify_customers LIMIT 1")
    who = Customer(number)
    redact_customer(office.database, office.settings, shop_domain=DOMAIN, customer=who, request_key="cerere")
    assert not taken.exists()

    assert office.run(deletion_events=True).success

    assert neighbour.products() == rest, "the row that is missing, and the row that an event tells of"
    assert snapshots_waiting(office.database) == []
    again = look_at(office.database, office.settings, first)
    assert (again.outcome, again.tables) == ("unfit", {})
    assert "was deleted since: the next whole export is looked at" in again.reason


def test_whatever_one_shops_trouble_is_the_others_are_looked_at() -> None:
    sums = _Sums()

    def ill() -> None:
        raise PermissionError("the store")

    def away() -> None:
        raise psycopg.OperationalError

    _attempt(sums, "orders of x", ill)
    assert sums.failed == ["orders of x: PermissionError: the store"]
    with pytest.raises(psycopg.OperationalError):
        _attempt(sums, "orders of y", away)
