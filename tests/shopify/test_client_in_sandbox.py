"""The client against the sandbox: Shopify's own refusals, troubles on the way, and what a shop says of itself."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox, Trouble
from neanelu_pipelines.shopify.access import Secret, ShopAccess
from neanelu_pipelines.shopify.client import AdminClient
from neanelu_pipelines.shopify.faults import (
    AccessDenied,
    Permanent,
    Refused,
    SearchIgnored,
    ShopMoved,
    TokenRefused,
    TooCostly,
    Unavailable,
)
from neanelu_pipelines.shopify.identity import ask
from tests.shopify.conftest import DOMAIN, QUICK, access, make_shop

QUERY = "{ products(first: 3) { nodes { id title } } }"
COSTLY = (
    "{ products(first: 250) { nodes { variants(first: 250) { nodes { id media(first: 250) { nodes { id } } } } } } }"
)
RUN = 'mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }", groupObjects: false)' + (
    " { bulkOperation { id } userErrors { message } } }"
)
SPEC = GeneratedShop(DOMAIN, products=30, scopes=("read_products",))


@pytest.fixture(scope="module")
def shop() -> Iterator[Sandbox]:
    with Sandbox([SPEC]) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shop: Sandbox) -> Iterator[Sandbox]:
    shop.requests.clear()
    yield shop
    shop.faults.clear()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[AdminClient]:
    with client_of(sandbox) as client:
        yield client


def client_of(sandbox: Sandbox, token: str = SPEC.token) -> AdminClient:
    return AdminClient(
        replace(access(), token=Secret(token)),
        database=None,
        endpoint=sandbox.url_template,
        patience=QUICK,
        sleep=lambda _: None,
    )


def test_a_shop_says_what_it_is(client: AdminClient) -> None:
    facts = ask(client, DOMAIN)
    assert (facts.currency, facts.timezone, facts.scopes) == ("RON", "Europe/Bucharest", ("read_products",))
    with pytest.raises(ShopMoved, match=DOMAIN):
        ask(client, "alta.myshopify.com")


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("{ products(first: 3) { nodes { id nope } } }", Refused),
        ('{ products(first: 3, query: "updated_att:>2020") { nodes { id } } }', SearchIgnored),
        ("{ orders(first: 3) { nodes { id } } }", AccessDenied),
        (COSTLY, TooCostly),
    ],
)
def test_what_shopify_refuses(client: AdminClient, sandbox: Sandbox, query: str, fault: type[Permanent]) -> None:
    with pytest.raises(fault) as caught:
        client.execute(query)
    assert len(sandbox.requests) == 1
    if isinstance(caught.value, AccessDenied):
        assert caught.value.scope == "read_orders"


def test_another_token_is_refused(sandbox: Sandbox) -> None:
    with client_of(sandbox, "shpat_of_somebody_else") as client, pytest.raises(TokenRefused):
        client.execute(QUERY)


@pytest.mark.parametrize(
    ("trouble", "options"),
    [
        (Trouble.DROP, {}),
        (Trouble.INTERNAL_ERROR, {}),
        (Trouble.THROTTLE, {}),
        (Trouble.STATUS, {"status": 502}),
        (Trouble.STATUS, {"status": 429, "retry_after": 0.7}),
    ],
)
def test_troubles_on_the_way_are_got_over(
    client: AdminClient, sandbox: Sandbox, trouble: Trouble, options: dict[str, float]
) -> None:
    fault = sandbox.faults.add(trouble, times=2, **options)  # type: ignore[arg-type]
    assert len(client.execute(QUERY).data["products"]["nodes"]) == 3
    assert fault.happened == 2


def test_a_mutation_whose_answer_is_lost_is_carried_out_once(client: AdminClient, sandbox: Sandbox) -> None:
    sandbox.faults.add(Trouble.DROP)
    with pytest.raises(Unavailable):
        client.execute(RUN)
    errors = client.execute(RUN).data["bulkOperationRunQuery"]["userErrors"]
    assert errors == [] or "already in progress" in errors[0]["message"], "it was carried out, and may be over by now"
    assert len([one for one in sandbox.requests if one.kind == "graphql"]) == 2


def test_the_token_stays_where_it_is_when_a_shop_was_renamed(client: AdminClient, sandbox: Sandbox) -> None:
    sandbox.faults.add(Trouble.RENAMED, to="alta.myshopify.com")
    with pytest.raises(ShopMoved):
        client.execute(QUERY)
    assert [one for one in sandbox.requests if one.host.startswith("localhost")] == []


def test_costs_of_the_sandbox_fit_the_bucket(database: Database, sandbox: Sandbox) -> None:
    shop_id = make_shop(database)
    own = ShopAccess(shop_id, DOMAIN, "2025-10", Secret(SPEC.token))
    with AdminClient(own, database=database, endpoint=sandbox.url_template, patience=QUICK) as client:
        costs = [client.execute(QUERY).cost for _ in range(3)]
    assert all(cost is not None and cost.requested for cost in costs)
    assert not any(one.throttled for one in sandbox.requests)
