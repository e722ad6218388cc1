"""Privacy requests that a person has closed unanswered: red no more, and never tried again."""

from typing import Any

import dagster as dg
import pytest

from neanelu_pipelines.cli.troubles import troubles
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.redaction import acts, work
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret
from neanelu_pipelines.shopify.webhooks.aside import dismiss, put_back
from tests.defs.shops import SHOP
from tests.defs.test_privacy import Office, request
from tests.shopify.test_vault import key, ring


def test_what_a_person_dismisses_is_red_no_more_and_never_tried_again(
    warehouse: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(warehouse, instance)
    database, settings = office.warehouse.database, office.warehouse.settings
    office.receive("customers/redact", request(customer=None), key="nobody")
    # One that left something, and one about a shop that is installed.
    office.receive("customers/redact", request(), key="left")
    office.receive("shop/redact", {"shop_id": 1, "shop_domain": SHOP}, key="shop")
    prove = acts._prove
    monkeypatch.setattr(acts, "_prove", lambda *given: prove(*given) | {"found": {"shops.settings": 1}})
    shops.install(database, ring(key()), SHOP, Secret("shpat_0123456789"))
    assert office.run().success
    states = "SELECT idempotency_key, state FROM pipeline.webhook_keys ORDER BY 1"
    assert office.rows(states) == [("left", "aside"), ("nobody", "aside"), ("shop", "aside")]

    def told() -> Any:
        with database.connect(Role.PIPELINE) as connection:
            return next(one for one in troubles(connection) if one.what == "privacy requests")

    assert told().grave
    office.receive("customers/redact", request(), key="stale")
    stale = work._waiting(database, 10)
    office.do("UPDATE pipeline.webhook_keys SET state = 'aside' WHERE idempotency_key = 'stale'")

    closed = dismiss(database, ["left", "nobody", "shop", "stale"], because="Clienta a retras cererea.")

    assert {one.id: one.redaction_status for one in closed} == {
        "left": "residue",
        "nobody": None,
        "shop": None,
        "stale": None,
    }
    assert all(one.is_privacy for one in closed)
    assert office.rows("SELECT DISTINCT subject FROM pipeline.redactions") == [(None,)]
    assert told().found == ""
    assert isinstance(office.tick(), dg.SkipReason)
    # Somebody who listed it before that finds it closed, and leaves it so.
    monkeypatch.setattr(work, "_waiting", lambda *_: stale)
    assert list(work.work_off(database, settings)) == []
    work._settle(database, stale[0], "aside", "too late", None)
    assert put_back(database) == {}
    assert office.rows("SELECT DISTINCT state FROM pipeline.webhook_keys") == [("dismissed",)]
    (check,) = office.run().get_asset_check_evaluations()
    assert (check.passed, check.description) == (True, None)
    # Nor is an act that somebody had in hand meanwhile, and that left something.
    monkeypatch.undo()
    office.do(
        "INSERT INTO pipeline.redactions (request_key, kind, of_shop, subject, subject_hash, status, tried_at)"
        " VALUES ('shop', 'shop', %s, jsonb_build_object('domain', %s::text, 'asked_at', now()), '', 'residue',"
        " now() - interval '2 hours')",
        office.shop_id,
        SHOP,
    )
    assert isinstance(office.tick(), dg.SkipReason)
    assert (told().found, work.unanswered(database)) == ("", [])
