"""An office: a shop in the sandbox, known to the database, and the location's runs over both.

Belongs here: what tests of exports do and look at. Does not belong here: what is expected.
"""

import base64
import os
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import httpx

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.loads.keys import load_job_name, load_op_name
from neanelu_pipelines.defs.shops.partitions import SHOPS
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.resources.products import PRODUCTS
from neanelu_pipelines.sandbox.admin import Pace, Sandbox
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret
from neanelu_pipelines.shopify.vault import Keyring

KEYS = "1:" + base64.b64encode(os.urandom(32)).decode()


SLOW = Pace(running=0.8)


ARTIFACT = dg.AssetKey(["artifacts", "products_jsonl"])


MIRROR = dg.AssetKey(["mirror", "shopify_products"])


class Office:
    """A shop in the sandbox, known to the database, and the location's runs over both."""

    resource: Resource = PRODUCTS

    def __init__(self, sandbox: Sandbox, domain: str, database: Database, home: Path, instance: dg.DagsterInstance):
        self.sandbox, self.domain, self.database, self.instance = sandbox, domain, database, instance
        self.settings = Settings(
            _env_file=None,
            home=home,
            encryption_keys=Secret(KEYS),
            shopify_url=sandbox.url_template,
            shopify_tries=1,
            export_wait=20,
            export_first_poll=0.02,
            export_longest_poll=0.1,
        )
        instance.add_dynamic_partitions(str(SHOPS.name), [domain])
        self.give_token(sandbox.token(domain))

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.database, self.settings)

    @cached_property
    def defs(self) -> dg.Definitions:
        return build_defs(warehouse=self.warehouse, resources={self.resource.name: self.resource})

    def give_token(self, token: str) -> UUID:
        return shops.install(self.database, Keyring.parse(Secret(KEYS)), self.domain, Secret(token))

    def wait(self, seconds: float) -> None:
        self.settings = self.settings.model_copy(update={"export_wait": seconds})
        self.__dict__.pop("defs", None)

    def run(
        self, request: dg.RunRequest | None = None, *, steps: list[dg.AssetKey] | None = None, **config: Any
    ) -> dg.ExecuteInProcessResult:
        asked = {"ops": {load_op_name(self.resource.name): {"config": config}}}
        return self.defs.resolve_job_def(load_job_name(self.resource.name)).execute_in_process(
            instance=self.instance,
            partition_key=self.domain,
            run_config=request.run_config if request else asked,
            tags=dict(request.tags) if request else {},
            asset_selection=steps,
            raise_on_error=False,
        )

    def tick(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=self.instance, resources={"warehouse": self.warehouse})
        answer = self.defs.resolve_sensor_def("exports_due")(context)
        return requests_of(answer)

    def rows(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.database.connect(Role.ADMIN) as connection:
            return connection.execute(text, values).fetchall()

    def states(self) -> list[str]:
        return [status for (status,) in self.rows("SELECT status FROM bulk_runs ORDER BY id")]

    def events(self, run_id: str) -> str:
        return "\n".join(str(entry) for entry in self.instance.all_logs(run_id))

    def make_due(self) -> None:
        self.rows("UPDATE bulk_runs SET cursor_state = jsonb_set(cursor_state, '{bulk,due}', 'null') RETURNING 1")


MakeOffice = Callable[..., Office]


def requests_of(answer: object) -> list[dg.RunRequest]:
    """The runs that a sensor or a schedule asks for."""
    assert isinstance(answer, Iterable)
    return [item for item in answer if isinstance(item, dg.RunRequest)]


def check_of(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    [check] = [check for check in result.get_asset_check_evaluations() if check.check_name == "scope_granted"]
    return check


def materializations(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> list[dg.AssetMaterialization]:
    found = [event.step_materialization_data.materialization for event in result.get_asset_materialization_events()]
    return [one for one in found if one.asset_key == key]


def retries(office: Office, run_id: str) -> int:
    return office.events(run_id).count("retry ")


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    [failure] = [event.step_failure_data for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert failure.user_failure_data
    return str(failure.user_failure_data.description)


QUESTION = """{ products(first: 100) { nodes { id title handle status vendor tags
  variants(first: 100) { nodes { id sku price barcode inventoryQuantity title } } } } }"""


def sold(office: Office) -> tuple[dict[str, Any], dict[str, Any]]:
    """The shop's products and variants, asked of the API directly, a page at a time."""
    url = office.sandbox.url_template.format(domain=office.domain, version="2025-10")
    headers = {"X-Shopify-Access-Token": office.sandbox.token(office.domain)}
    answer = httpx.post(url, json={"query": QUESTION}, headers=headers, trust_env=False).json()["data"]["products"]
    products = answer["nodes"]
    return (
        {p["id"]: (p["title"], p["handle"], p["status"], p["vendor"], sorted(p["tags"])) for p in products},
        {
            v["id"]: (p["id"], v["title"], v["sku"], Decimal(v["price"]), v["barcode"], v["inventoryQuantity"])
            for p in products
            for v in p["variants"]["nodes"]
        },
    )


def mirrored(office: Office) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same from the mirror."""
    products = office.rows("SELECT shopify_gid, title, handle, status, vendor, tags FROM shopify_products")
    variants = office.rows(
        "SELECT v.shopify_gid, p.shopify_gid, v.title, v.sku, v.price, v.barcode, v.inventory_quantity"
        " FROM shopify_variants v JOIN shopify_products p ON p.id = v.product_id"
    )
    return (
        {row[0]: (*row[1:5], sorted(row[5] or [])) for row in products},
        {row[0]: row[1:] for row in variants},
    )
