"""What a person sees of the events that were set aside, and how they close them: with a reason that stays."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from neanelu_pipelines.cli import webhooks as command
from neanelu_pipelines.cli.troubles import troubles
from neanelu_pipelines.cli.world import World
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.defs.webhooks.writing import into_mirror
from neanelu_pipelines.mirror.redaction import redact_shop
from neanelu_pipelines.mirror.redaction.work import unanswered
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import shops
from neanelu_pipelines.shopify.webhooks.aside import DismissalError
from neanelu_pipelines.shopify.webhooks.retention import purge
from tests.shopify.conftest import make_shop
from tests.shopify.webhooks import DOMAIN, event, posted, rows, work_off

BECAUSE = "Cererea a fost retrasă; scrisoarea e în dosar."


class Desk:
    """The command over a shop that has sent what cannot be processed."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings

    def run(self, *asked: str) -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(command.app, [*asked, "--json"], catch_exceptions=False)
        return done.exit_code, json.loads(done.stdout)

    def words(self, *asked: str) -> str:
        return CliRunner().invoke(command.app, list(asked), catch_exceptions=False).stdout

    def work_off(self) -> None:
        work_off(self.database, into_mirror(self.database, self.settings))

    def states(self) -> dict[str, str]:
        return dict(rows(self.database, "SELECT idempotency_key, state FROM pipeline.webhook_keys"))


@pytest.fixture
def desk(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    class Here(World):
        @property
        def database(self) -> Database:
            return database

    make_shop(database)
    settings = Settings(home=tmp_path, _env_file=None)
    monkeypatch.setattr(command, "open_world", lambda: Here(settings))
    return Desk(database, settings)


def set_aside(desk: Desk) -> tuple[str, str, str]:
    """Two poison events and a privacy request, set aside; their ids."""
    one, two = event({"title": "fără id"}), event({"title": "nici el"})
    asked = event({"customer": {"id": 7, "email": "ana@example.ro"}}, "customers/data_request")
    posted(desk.database, asked, one, two)
    desk.work_off()
    with desk.database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE pipeline.webhook_keys SET state = 'aside'")
    return one.webhook_id, two.webhook_id, asked.webhook_id


def test_what_was_set_aside_is_listed_and_what_is_dismissed_is_closed_for_good(desk: Desk) -> None:
    one, two, asked = set_aside(desk)
    _, listed = desk.run("list", "--shop", DOMAIN.upper())
    assert listed["events"][0]["id"] == asked, "privacy requests first"
    assert {found["id"]: found["topic"] for found in listed["events"]} == {
        one: "products/update",
        two: "products/update",
        asked: "customers/data_request",
    }
    assert {found["shop"] for found in listed["events"]} == {DOMAIN}
    assert "id" in listed["events"][1]["reason"]
    assert (len(desk.run("list", "--most", "1")[1]["events"]), listed["total"]) == (1, 3)
    assert "Events set aside: 3, of which 1 are shown." in desk.words("list", "--most", "1")
    with desk.database.connect(Role.PIPELINE) as connection:
        assert {told.what for told in troubles(connection) if told.found} == {"webhooks set aside", "privacy requests"}

    [(inner,)] = rows(desk.database, "SELECT event_id::text FROM pipeline.webhook_keys WHERE idempotency_key = %s", two)
    said = desk.words("dismiss", one, inner, asked, "--because", f"  {BECAUSE} ")

    assert f"{asked}: customers/data_request of {DOMAIN} is dismissed. Nothing was exported" in said
    assert "requests_answered" in said
    assert f"{two}: products/update of {DOMAIN} is dismissed. It was not processed" in said
    with desk.database.connect(Role.PIPELINE) as connection:
        assert not [told for told in troubles(connection) if told.found]
    _, closed = desk.run("list", "--dismissed")
    assert {(found["id"], found["because"]) for found in closed["events"]} == {
        (key, BECAUSE) for key in (one, two, asked)
    }
    assert datetime.now(UTC) - datetime.fromisoformat(closed["events"][0]["dismissed_at"]) < timedelta(minutes=1)
    assert desk.run("list")[1]["events"] == []
    assert desk.run("retry")[1]["put_back"] == 0
    assert desk.run("retry", "--id", one)[0] == 1
    desk.work_off()
    assert set(desk.states().values()) == {"dismissed"}
    assert rows(desk.database, "SELECT count(*) FROM audit_logs WHERE new_values::text ~ 'ana@|dosar'") == [(0,)]


def test_a_privacy_request_is_tried_again_by_the_id_that_its_check_shows(desk: Desk) -> None:
    one, two, asked = set_aside(desk)
    [told] = unanswered(desk.database)
    table, inner = told.place.split()
    assert table == "webhook_events"
    assert desk.run("retry", "--id", inner)[1] == {
        "status": "completed",
        "put_back": 1,
        "topics": {"customers/data_request": 1},
    }
    assert desk.states() == {one: "aside", two: "aside", asked: "waiting"}


def test_what_becomes_of_what_an_event_told_is_said_by_its_kind(desk: Desk) -> None:
    words = {
        "products/update": "as it is by then, comes with the next whole sync of the shop.",
        "orders/updated": "next whole sync of the shop (of one older than 60 days, with a token that has read_all_",
        "products/delete": "stays in the mirror until a whole sync, at the latest, finds it gone.",
        "orders/delete": "finds it gone, which takes a token with read_all_orders.",
        "inventory_levels/disconnect": "finds it gone.",
        "app/uninstalled": "nothing else marks the shop as one that left",
        "bulk_operations/finish": "is looked at in its turn",
        "themes/update": "nothing here processes its topic",
    }
    events = {topic: event({"id": 7}, topic) for topic in words}
    posted(desk.database, *events.values())
    with desk.database.connect(Role.ADMIN) as connection:
        connection.execute("UPDATE pipeline.webhook_keys SET state = 'aside'")
        [told] = [one for one in troubles(connection) if one.what == "webhooks set aside"]
    for left in ("whole sync", "read_all_orders", "uninstalled", "no table"):
        assert left in told.remedy
    _, said = desk.run("dismiss", *(one.webhook_id for one in events.values()), "--because", BECAUSE)
    not_done = {one["topic"]: one["not_done"] for one in said["dismissed"]}
    assert not_done.keys() == words.keys()
    for topic, part in words.items():
        assert part in not_done[topic], topic
    for topic in ("app/uninstalled", "bulk_operations/finish"):
        assert "sync" not in not_done[topic], "no sync tells it"


@pytest.mark.parametrize("because", ["", "  ", "x" * 1001, "a\0b"])
def test_nothing_is_dismissed_without_a_reason(desk: Desk, because: str) -> None:
    one, _, _ = set_aside(desk)
    with pytest.raises(DismissalError, match="--because"):
        desk.run("dismiss", one, "--because", because)
    assert CliRunner().invoke(command.app, ["dismiss", one]).exit_code == 2
    assert set(desk.states().values()) == {"aside"}


def test_all_or_none_and_what_cannot_be_dismissed_is_said(desk: Desk) -> None:
    one, two, asked = set_aside(desk)
    with desk.database.connect(Role.ADMIN) as connection:
        set_state = "UPDATE pipeline.webhook_keys SET state = %s WHERE idempotency_key = %s"
        connection.execute(set_state, ["waiting", asked])
        connection.execute(set_state, ["done", two])
    with pytest.raises(DismissalError) as refused:
        desk.run("dismiss", one, two, asked, "nimic", "--because", BECAUSE)
    for words in (f"{two} is done", f"{asked} waits to be answered", "nimic is no event that is here"):
        assert words in str(refused.value)
    assert desk.states()[one] == "aside"
    assert desk.run("dismiss", one, "--because", BECAUSE)[0] == 0
    with pytest.raises(DismissalError, match="was dismissed before"):
        desk.run("dismiss", one, "--because", "altceva")
    assert rows(desk.database, "SELECT because FROM pipeline.dismissals") == [(BECAUSE,)]


def test_why_it_was_dismissed_outlives_the_event_and_goes_with_the_shop(desk: Desk, tmp_path: Path) -> None:
    _, _, asked = set_aside(desk)
    desk.run("dismiss", asked, "--because", BECAUSE)
    later = datetime.now(UTC) + timedelta(days=40)
    purge(desk.database, now=later, events_kept=timedelta(days=30))
    assert asked not in desk.states()
    assert rows(desk.database, "SELECT count(*) FROM webhook_events WHERE idempotency_key = %s", asked) == [(0,)]
    [kept] = desk.run("list", "--dismissed")[1]["events"]
    assert (kept["id"], kept["because"], kept["shop"]) == (asked, BECAUSE, DOMAIN)
    with pytest.raises(DismissalError, match="was dismissed before"):
        desk.run("dismiss", asked, "--because", BECAUSE)

    shops.remove(desk.database, DOMAIN)
    done = redact_shop(desk.database, desk.settings, shop_domain=DOMAIN, request_key="gone", asked_at=later)
    assert done.status == "completed", done.proof
    assert rows(desk.database, "SELECT count(*) FROM pipeline.dismissals") == [(0,)]
