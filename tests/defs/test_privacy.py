"""Privacy requests among the webhooks are answered by a run; what cannot be answered is set aside, and said."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import dagster as dg
import psycopg
import pytest
from dagster_postgres.event_log import PostgresEventLogStorage

from neanelu_pipelines.cli.troubles import troubles
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.build import build_defs
from neanelu_pipelines.defs.privacy.assets import JOB, databases_of
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.ledger import ResourceBusyError
from neanelu_pipelines.mirror.redaction import Customer, Outcome, acts, record, redact_customer, work
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.access import Secret, read_access
from neanelu_pipelines.shopify.webhooks.aside import put_back
from tests.defs.shops import SHOP, add_shop
from tests.shopify.test_vault import key, ring

ANA: dict[str, Any] = {"id": 706405506930, "email": "ana.popescu@example.ro", "phone": "+40722123456"}


class Office:
    """The privacy job over a shop with one customer."""

    def __init__(self, warehouse: Warehouse, instance: dg.DagsterInstance) -> None:
        self.warehouse, self.instance = warehouse, instance
        self.shop_id = add_shop(warehouse.database, SHOP)
        self.defs = build_defs(warehouse=warehouse, resources={})
        self.do(
            "INSERT INTO shopify_customers (shop_id, shopify_gid, legacy_resource_id, email, last_name)"
            " VALUES (%s, 'gid://shopify/Customer/706405506930', 706405506930, 'ana.popescu@example.ro', 'Popescu')",
            self.shop_id,
        )

    def do(self, text: str, *values: Any) -> None:
        with self.warehouse.database.connect(Role.ADMIN) as connection:
            connection.execute(text, values)

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        with self.warehouse.database.connect(Role.ADMIN) as connection:
            return connection.execute(text).fetchall()

    def receive(self, topic: str, payload: Any, key: str | None = None) -> UUID:
        event, key = uuid4(), key or str(uuid4())
        with self.warehouse.database.connect(Role.ADMIN) as connection:
            connection.execute(
                "INSERT INTO pipeline.webhook_keys (idempotency_key, shop_id, event_id, received_at, state)"
                " VALUES (%s, %s, %s, now(), 'waiting')",
                [key, self.shop_id, event],
            )
            connection.execute(
                "INSERT INTO webhook_events (id, shop_id, topic, payload, idempotency_key, created_at)"
                " VALUES (%s, %s, %s, %s, %s, now())",
                [event, self.shop_id, topic, payload if isinstance(payload, str) else json.dumps(payload), key],
            )
        return event

    def tick(self) -> Any:
        sensor = self.defs.resolve_sensor_def("privacy_requests")
        return sensor(dg.build_sensor_context(instance=self.instance, resources={"warehouse": self.warehouse}))

    def run(self) -> dg.ExecuteInProcessResult:
        return self.defs.resolve_job_def(JOB).execute_in_process(instance=self.instance, raise_on_error=False)


@pytest.fixture
def office(warehouse: Warehouse, instance: dg.DagsterInstance) -> Office:
    return Office(warehouse, instance)


def request(**more: Any) -> dict[str, Any]:
    return {"shop_id": 1, "shop_domain": SHOP, "customer": ANA, **more}


def test_requests_are_answered_and_their_own_events_emptied(office: Office) -> None:
    assert isinstance(office.tick(), dg.SkipReason)
    office.receive("customers/data_request", request(orders_requested=[1], data_request={"id": 9}))
    office.receive("customers/redact", request(orders_to_redact=[]))
    undecoded = office.receive("customers/update", {"base64": "eyJub3RlIjogIkFuYVx1MDAwMCJ9"})
    office.do("UPDATE pipeline.webhook_keys SET state = 'done' WHERE event_id = %s", undecoded)
    office.do("UPDATE webhook_events SET processed_at = now() WHERE id = %s", undecoded)
    assert isinstance(office.tick(), dg.RunRequest)

    assert office.run().success

    assert office.rows("SELECT count(*) FROM shopify_customers") == [(0,)]
    assert office.rows("SELECT kind, status, subject FROM pipeline.redactions ORDER BY kind") == [
        ("customer", "completed", None),
        ("export", "completed", None),
    ]
    assert office.rows("SELECT DISTINCT payload, processed_at IS NOT NULL FROM webhook_events") == [
        ({"redacted": True}, True)
    ]
    assert office.rows("SELECT DISTINCT state FROM pipeline.webhook_keys") == [("done",)]
    assert not list(Path(office.warehouse.settings.artifact_root).rglob("*.json")), "redacted after it was exported"
    assert isinstance(office.tick(), dg.SkipReason)


def test_an_event_that_names_nobody_is_set_aside_and_the_run_says_so(office: Office) -> None:
    office.receive("customers/redact", request(customer=None))
    office.receive("customers/redact", '{"customer": {"id": 5}, "x": 1e5000}', key="long")
    office.receive("customers/redact", json.dumps(request())[:-1] + f', "x": {"[" * 1500}{"]" * 1500}}}', key="deep")
    office.receive("customers/redact", request(shop_domain="alta.myshopify.com"), key="other")
    office.receive("shop/redact", {"shop_domain": "alta.myshopify.com", "shop_id": 2}, key="other-shop")
    office.receive("customers/redact", request(), key="good")
    office.receive("customers/redact", request(), key="again")
    payload = "SELECT payload -> 'customer' ->> 'id' FROM webhook_events WHERE idempotency_key = 'again'"
    for one in work.work_off(office.warehouse.database, office.warehouse.settings):
        if one.key == "good":
            assert one.outcome
            assert one.outcome.proof["other_requests"] == {"webhook_events.payload": 3}
            break
    assert office.rows(payload) == [("706405506930",)], "another request needs to know whom it is about"
    office.do("UPDATE pipeline.webhook_keys SET state = 'waiting' WHERE idempotency_key LIKE 'other%%'")
    office.do("UPDATE pipeline.webhook_keys SET state = 'waiting' WHERE idempotency_key IN ('long', 'deep')")

    run = office.run()

    assert run.success, "the others were answered"
    assert sorted(office.rows("SELECT state FROM pipeline.webhook_keys")) == [("aside",)] * 5 + [("done",)] * 2
    assert office.rows(payload) == [(None,)]
    said = dict(office.rows("SELECT idempotency_key, processing_error FROM webhook_events"))
    assert "cannot be decoded (ValueError)" in said["long"]
    assert "cannot be decoded (RecursionError)" in said["deep"]
    assert "does not name that shop" in said["other"]
    assert said["other-shop"] == said["other"]
    assert isinstance(office.tick(), dg.SkipReason)
    (check,) = run.get_asset_check_evaluations()
    assert (check.passed, check.severity.value) == (False, "ERROR")
    assert "does not say whose data" in str(check.description)
    office.receive("customers/redact", request())
    assert isinstance(office.tick(), dg.RunRequest), "what was set aside holds up no other"


def test_one_whose_event_was_emptied_before_it_died_is_ended(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.receive("customers/redact", request())
    with monkeypatch.context() as patch:
        patch.setattr(record, "end", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert not office.run().success
    assert office.rows("SELECT payload FROM webhook_events") == [({"redacted": True},)]

    assert office.run().success

    assert office.rows("SELECT status, attempts FROM pipeline.redactions") == [("completed", 2)]
    assert office.rows("SELECT state FROM pipeline.webhook_keys") == [("done",)]


@pytest.mark.parametrize("dies", [False, True])
def test_a_shop_goes_with_its_own_request(office: Office, monkeypatch: pytest.MonkeyPatch, dies: bool) -> None:
    office.do("UPDATE shops SET installed_at = now() - interval '3 days'")
    office.receive("customers/data_request", request())
    assert office.run().success
    office.do(
        "INSERT INTO pipeline.redactions (request_key, kind, of_shop, subject, subject_hash, status, error)"
        " VALUES ('hindered', 'customer', %s, '{}', '', 'hindered', %s)",
        office.shop_id,
        f"{SHOP} is busy",
    )
    office.receive("shop/redact", {"shop_id": 1, "shop_domain": SHOP}, key="shop")
    if not dies:
        office.receive("customers/redact", request())
    if dies:
        with monkeypatch.context() as patch:
            patch.setattr(record, "end", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            assert not office.run().success
        assert office.rows("SELECT count(*) FROM webhook_events") == [(0,)]

    assert office.run().success

    for table in ("shops", "shopify_customers", "webhook_events", "pipeline.webhook_keys"):
        assert office.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert office.rows("SELECT kind, status, of_shop, subject FROM pipeline.redactions ORDER BY 1") == [
        ("customer", "completed", None, None),
        ("export", "completed", None, None),
        ("shop", "completed", None, None),
    ]
    assert isinstance(office.tick(), dg.SkipReason)
    if not dies:
        # As a proof left it that found the export's file, whose name began with the shop's.
        office.do(
            "UPDATE pipeline.redactions SET proof = jsonb_build_object('file', %s::text) WHERE kind = 'export'", SHOP
        )
        office.do(
            "UPDATE pipeline.redactions SET status = 'residue', of_shop = %s, tried_at = now() - interval '2 hours',"
            " subject = jsonb_build_object('domain', %s::text, 'number', NULL, 'asked_at', now()) WHERE kind = 'shop'",
            office.shop_id,
            SHOP,
        )
        assert isinstance(office.tick(), dg.RunRequest)
        assert office.run().success
        assert office.rows("SELECT DISTINCT status FROM pipeline.redactions") == [("completed",)]


def test_a_shop_that_is_installed_is_kept_until_it_is_removed(office: Office) -> None:
    database, keyring = office.warehouse.database, ring(key())
    shops.install(database, keyring, SHOP, Secret("shpat_0123456789"))
    shops.remove(database, SHOP)
    shops.install(database, keyring, SHOP, Secret("shpat_9876543210"))
    # Shopify asks two days after the shop left, whatever became of it since.
    office.receive("shop/redact", {"shop_id": 1, "shop_domain": SHOP}, key="begun")
    office.do(
        "INSERT INTO pipeline.redactions (request_key, kind, of_shop, subject, subject_hash)"
        " VALUES ('begun', 'shop', %s, '{}', '')",
        office.shop_id,
    )

    (check,) = office.run().get_asset_check_evaluations()
    assert (check.passed, check.severity.value) == (False, "ERROR")

    assert office.rows("SELECT status, subject FROM pipeline.redactions") == [("refused", None)]
    assert isinstance(office.tick(), dg.SkipReason)
    assert office.rows("SELECT state FROM pipeline.webhook_keys") == [("aside",)]
    with database.connect(Role.PIPELINE) as connection:
        (told,) = [one for one in troubles(connection) if one.what == "privacy requests"]
    assert told.grave
    assert "installed here" in told.found
    assert "`neanelu webhooks retry`" in told.found
    assert office.rows("SELECT count(*) FROM shopify_customers") == [(1,)]
    assert read_access(database, keyring, SHOP).token.get_secret_value() == "shpat_9876543210"

    shops.remove(database, SHOP)
    assert put_back(database) == {"shop/redact": 1}
    assert office.run().success
    assert office.rows("SELECT count(*) FROM shops") == [(0,)]
    assert office.rows("SELECT status FROM pipeline.redactions") == [("completed",)]


def test_a_token_given_while_the_shop_is_being_forgotten_is_kept_or_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, keyring = office.warehouse.database, ring(key())
    office.receive("shop/redact", {"shop_id": 1, "shop_domain": SHOP})
    artifact = Path(office.warehouse.settings.artifact_root) / SHOP / "products" / "x.jsonl"
    artifact.parent.mkdir(parents=True)
    artifact.write_text("{}")
    begin = record.begin

    def begun(*given: Any) -> Outcome:
        shops.install(database, keyring, SHOP, Secret("shpat_9876543210"))
        return begin(*given)

    with monkeypatch.context() as patch:
        patch.setattr(record, "begin", begun)
        assert not office.run().get_asset_check_evaluations()[0].passed
    assert office.rows("SELECT status FROM pipeline.redactions") == [("refused",)]
    assert office.rows("SELECT state FROM pipeline.webhook_keys") == [("aside",)]
    assert artifact.exists()
    assert office.rows("SELECT count(*) FROM shopify_customers") == [(1,)]


def test_a_shop_added_since_another_of_its_name_was_forgotten_is_no_part_of_that(office: Office) -> None:
    office.do("UPDATE shops SET uninstalled_at = now()")
    office.do(
        "INSERT INTO pipeline.redactions (request_key, kind, of_shop, subject, subject_hash, status, tried_at)"
        " VALUES ('old', 'shop', %s, jsonb_build_object('domain', %s::text, 'number', NULL, 'asked_at', now()), '',"
        " 'residue', now() - interval '2 hours')",
        uuid4(),
        SHOP,
    )

    (check,) = office.run().get_asset_check_evaluations()

    assert (check.passed, check.severity.value) == (False, "ERROR")
    assert "was added anew" in str(check.description)
    assert office.rows("SELECT status FROM pipeline.redactions") == [("refused",)]
    assert office.rows("SELECT count(*) FROM shopify_customers") == [(1,)]


def test_one_that_fails_keeps_no_other_waiting_and_is_said_until_it_is_answered(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[Exception] = [
        ResourceBusyError("busy"),
        psycopg.errors.LockNotAvailable("ana.popescu@example.ro is locked"),
        KeyError("ana.popescu@example.ro"),
    ]
    prove = acts._prove

    def fail(*given: Any) -> Any:
        if 550011 in given[3].numbers and faults:
            raise faults.pop(0)
        return prove(*given)

    monkeypatch.setattr(acts, "_prove", fail)
    office.receive("customers/redact", request(orders_to_redact=[550011]), key="busy")
    office.receive("customers/redact", request(), key="free")

    for attempt, words in enumerate(("busy", "LockNotAvailable", "KeyError in fail"), 1):
        assert office.tick() == dg.RunRequest()
        run = office.run()
        assert run.success
        states = "SELECT idempotency_key, state FROM pipeline.webhook_keys ORDER BY 1"
        assert office.rows(states) == [("busy", "waiting"), ("free", "done")]
        (check,) = run.get_asset_check_evaluations()
        assert (check.passed, check.severity.value) == (False, "ERROR" if attempt == 3 else "WARN")
        assert words in str(check.description)
        assert "ana" not in str(check.description)
        ((status, attempts, error),) = office.rows(
            "SELECT status, attempts, error FROM pipeline.redactions WHERE request_key = 'busy'"
        )
        assert (status, attempts) == ("hindered", attempt)
        assert words in error
        assert isinstance(office.tick(), dg.SkipReason), "not again at once"
        office.do("UPDATE pipeline.redactions SET tried_at = tried_at - make_interval(mins => %s)", attempt**2)

    (check,) = office.run().get_asset_check_evaluations()
    assert check.passed
    assert office.rows("SELECT DISTINCT status FROM pipeline.redactions") == [("completed",)]


def test_a_database_that_is_away_is_no_requests_fault(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.receive("customers/redact", request())
    monkeypatch.setattr(work, "_answer", lambda *_: (_ for _ in ()).throw(ResourceBusyError("busy")))
    monkeypatch.setattr(work, "_hinder", lambda *_: (_ for _ in ()).throw(psycopg.OperationalError("gone")))

    with pytest.raises(psycopg.OperationalError):
        list(work.work_off(office.warehouse.database, office.warehouse.settings))


def test_what_dagster_says_of_a_person_is_found(office: Office, empty_database: Database) -> None:
    url = empty_database.urls[Role.ADMIN].replace("postgresql://", "postgresql+psycopg2://")
    storage = PostgresEventLogStorage(url, should_autocreate_tables=True)
    also = databases_of(cast("dg.DagsterInstance", SimpleNamespace(event_log_storage=storage)))
    event = "INSERT INTO event_logs (run_id, event, timestamp) VALUES ('r', %s, now())"
    with empty_database.connect(Role.ADMIN) as connection:
        connection.execute(event, ['{"message": "DETAIL: (Ana.Popescu@example.ro) exists"}'])
        connection.execute(event, ['{"message": "diana.popescu@example.ro"}'])

    def redact(key: str, **databases: str) -> Outcome:
        of, settings = office.warehouse.database, office.warehouse.settings
        ana = Customer(ANA["id"], ANA["email"], ANA["phone"])
        return redact_customer(of, settings, shop_domain=SHOP, customer=ana, request_key=key, also=databases)

    done = redact("1", **also)
    assert (done.status, done.proof["found"]) == ("residue", {"dagster.event_logs.event": 1})
    with empty_database.connect(Role.ADMIN) as connection:
        connection.execute("DELETE FROM event_logs WHERE event ~ 'DETAIL'")
    assert redact("1", **also).status == "completed"
    away = redact("2", dagster=also["dagster"].rsplit("/", 1)[0] + "/nowhere")
    assert (away.status, away.proof["not_searched"]) == ("completed", {"dagster": "OperationalError"})
