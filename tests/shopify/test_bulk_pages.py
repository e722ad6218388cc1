"""Exports that are asked for page by page: the same life in the ledger as bulk operations have."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.sandbox.admin.server import Sandbox
from neanelu_pipelines.sandbox.shop.generated import SCOPES, GeneratedShop
from neanelu_pipelines.shopify.bulk import pages
from neanelu_pipelines.shopify.bulk.exports import ArtifactStoreError
from neanelu_pipelines.shopify.bulk.ledger import due_exports, opened
from neanelu_pipelines.shopify.documents import document, names, paged
from neanelu_pipelines.shopify.faults import AccessDenied, Refused, Unavailable
from neanelu_pipelines.shopify.replies import Reply
from tests.shopify.bulk import Desk
from tests.shopify.conftest import make_shop

MENUS = document("paged/menus")
DOMAIN = "gradina-verde.myshopify.com"
POOR = "fara-drepturi.myshopify.com"
FEWER = tuple(scope for scope in SCOPES if scope != "read_online_store_navigation")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    shops = [GeneratedShop(DOMAIN, products=5), GeneratedShop(POOR, products=5, scopes=FEWER)]
    with Sandbox(shops, bucket=(1e6, 1e6)) as made:
        yield made


@pytest.fixture(scope="module")
def _database_name(server: EmbeddedServer, _template: str) -> str:
    name = f"{_template}_pages"
    with server.database("postgres").connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_template))
        )
    return name


@pytest.fixture
def desks(server: EmbeddedServer, _database_name: str, sandbox: Sandbox, tmp_path: Path) -> Iterator[dict[str, Desk]]:
    """A desk for each of the two shops."""
    database = server.database(_database_name)
    root = tmp_path / "artifacts"
    yield {
        domain: Desk(
            database.urls, sandbox.url_template, sandbox.token(domain), make_shop(database, domain), root, domain
        )
        for domain in (DOMAIN, POOR)
    }
    with database.connect(Role.ADMIN) as connection:
        for table in ("bulk_artifacts", "bulk_steps", "bulk_errors", "sync_checkpoints", "bulk_runs", "shops"):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


@pytest.fixture
def desk(desks: dict[str, Desk]) -> Desk:
    return desks[DOMAIN]


class Pages:
    """A client that gives these pages, or raises what stands in their place."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Mapping[str, Any]] = []

    def execute(self, text: str, variables: Mapping[str, Any] | None = None, *, cost: float | None = None) -> Reply:
        self.asked.append(variables or {})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Reply({"menus": answer}, None)


def page(*numbers: int, after: str | None = None) -> dict[str, Any]:
    nodes = [{"__typename": "Menu", "id": f"gid://shopify/Menu/{n}", "title": "Grădină / \ud83d"} for n in numbers]
    return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}


def run_of(desk: Desk) -> tuple[Any, ...]:
    (row,) = desk.rows(
        "SELECT r.status, r.error_message, r.idempotency_key IS NULL, (SELECT count(*) FROM bulk_artifacts),"
        " (SELECT string_agg(s.status, ',' ORDER BY s.started_at) FROM bulk_steps s) FROM bulk_runs r"
    )
    return row


def test_paged_and_bulk_queries_are_told_apart() -> None:
    assert set(paged()) == {"menus", "webhook_subscriptions"}
    assert all(pages.is_paged(document(f"paged/{name}")) for name in paged())
    assert not any(pages.is_paged(document(name)) for name in names())


def test_a_shops_menus_become_an_artifact_a_node_a_line(desk: Desk, sandbox: Sandbox) -> None:
    outcome = desk.export(MENUS, "menus")

    assert (outcome.status, outcome.operation_id) == ("ready", None)
    ((path, size, rows),) = desk.rows("SELECT file_path, bytes_size, rows_count FROM bulk_artifacts")
    lines = Path(path).read_bytes().splitlines()
    nodes = [json.loads(line) for line in lines]
    assert (len(lines), Path(path).stat().st_size) == (rows, size) == (3, size)
    assert [node["handle"] for node in nodes] == ["main-menu", "categorii", "gol"]
    assert nodes[1]["items"][0]["items"][0]["items"][1]["type"] == "COLLECTION"
    assert run_of(desk) == ("running", None, True, 1, "completed")
    ((as_of, begun),) = desk.rows("SELECT (cursor_state ->> 'as_of')::timestamptz, started_at FROM bulk_runs")
    assert as_of >= begun


def test_pages_are_asked_for_until_there_is_none(desk: Desk) -> None:
    client = Pages(page(1, 2, after="b"), page(after="c"), page(3))

    outcome = desk.advance(desk.begin(MENUS, "menus"), client=client)

    assert [asked["after"] for asked in client.asked] == [None, "b", "c"]
    ((path,),) = desk.rows("SELECT file_path FROM bulk_artifacts")
    numbers = [json.loads(line)["id"].rpartition("/")[2] for line in Path(path).read_bytes().splitlines()]
    assert (outcome.status, numbers) == ("ready", ["1", "2", "3"])


def test_an_export_cut_off_between_pages_begins_anew(desk: Desk) -> None:
    run = desk.begin(MENUS, "menus")
    with pytest.raises(Unavailable):
        desk.advance(run, client=Pages(page(1, 2, after="b"), Unavailable("cut off")))
    assert run_of(desk)[:4] == ("pending", None, False, 0)
    assert desk.begin(MENUS, "menus") == run, "it is gone on with"
    with opened(desk.database) as book:
        assert [due.run_id for due in due_exports(book, desk.rows("SELECT now()")[0][0])] == [run]

    outcome = desk.advance(run, client=Pages(page(1, after="b"), page(3)))

    assert outcome.status == "ready"
    ((path, rows),) = desk.rows("SELECT file_path, rows_count FROM bulk_artifacts")
    assert (len(Path(path).read_bytes().splitlines()), rows) == (2, 2), "nothing of the first try is left"
    assert run_of(desk)[4] == "failed,completed"
    assert desk.advance(run).status == "ready", "no page is asked for twice"


def test_a_scope_that_lacks_is_said(desks: dict[str, Desk]) -> None:
    poor = desks[POOR]
    with pytest.raises(AccessDenied) as denied:
        poor.export(MENUS, "menus")

    assert denied.value.scope == "read_online_store_navigation"
    status, message, released, artifacts, _ = run_of(poor)
    assert (status, released, artifacts) == ("failed", True, 0)
    assert "read_online_store_navigation" in message


@pytest.mark.parametrize(
    "answer", [None, page(1, after="b"), {**page(1), "pageInfo": {"hasNextPage": True, "endCursor": None}}]
)
def test_what_is_no_page_ends_it(desk: Desk, answer: Any) -> None:
    with pytest.raises(Refused):
        desk.advance(desk.begin(MENUS, "menus"), client=Pages(page(1, after="b"), answer))

    assert run_of(desk)[::3] == ("failed", 0)


def test_a_store_that_is_full_loses_nothing(desk: Desk) -> None:
    run = desk.begin(MENUS, "menus")
    desk.root.parent.mkdir(exist_ok=True)
    desk.root.write_bytes(b"a file where a folder belongs")
    with pytest.raises(ArtifactStoreError):
        desk.advance(run)
    desk.root.unlink()
    assert desk.advance(run).status == "ready"
