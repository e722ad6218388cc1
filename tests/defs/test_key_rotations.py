"""The asset that changes keys: its figures, and what it says when it cannot."""

import base64
import os
from pathlib import Path

import dagster as dg

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, read_access
from neanelu_pipelines.shopify.vault import Keyring
from tests.defs.shops import SHOP

TOKEN = "shpat_5ecret0123456789abcdefabcdefab"
KEY = dg.AssetKey(["system", "key_rotations"])


def key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def rotate(database: Database, home: Path, instance: dg.DagsterInstance, keys: str | None) -> dg.ExecuteInProcessResult:
    settings = Settings(_env_file=None, home=home, encryption_keys=Secret(keys) if keys else None)
    defs = build_defs(warehouse=Warehouse(database, settings))
    job = defs.resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=[KEY], raise_on_error=False)


def test_materializing_it_puts_every_token_under_the_new_key(
    database: Database, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    old, new = key(), key()
    shops.install(database, Keyring.parse(Secret(f"1:{old}")), SHOP, Secret(TOKEN))
    done = rotate(database, tmp_path, instance, f"1:{old},2:{new}")
    assert done.success
    [event] = done.asset_materializations_for_node("key_rotations")
    figures = {name: value.value for name, value in event.metadata.items()}
    assert (figures["rows_read"], figures["rows_updated"], figures["rows_rejected"]) == (1, 1, 0)
    assert figures["key_version"] == 2
    only_new = Keyring.parse(Secret(f"2:{new}"))
    assert read_access(database, only_new, SHOP).token.get_secret_value() == TOKEN


def test_what_cannot_be_done_is_said_without_a_secret(
    database: Database, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    old, new = key(), key()
    shops.install(database, Keyring.parse(Secret(f"1:{old}")), SHOP, Secret(TOKEN))
    with database.connect(Role.PIPELINE) as connection:
        connection.execute("UPDATE shops SET access_token_tag = %s", [bytes(16)])
    for keys, says in (
        (None, "NEANELU_ENCRYPTION_KEYS is not set"),
        (f"2:{new}", "version 1"),
        (f"1:{old},2:{new}", SHOP),
    ):
        done = rotate(database, tmp_path, instance, keys)
        assert not done.success
        [failure] = [event for event in done.all_events if event.event_type_value == "STEP_FAILURE"]
        shown = str(failure.event_specific_data)
        assert says in shown
        assert old not in shown
        assert new not in shown
        assert TOKEN not in shown
