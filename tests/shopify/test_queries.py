"""What follows from a document alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.shopify.queries import likely_cost, page_weight, parsed


def test_an_operation_is_named_and_known_by_its_text() -> None:
    query = parsed("query Produse { products(first: 1) { nodes { id } } }")
    assert (query.name, query.is_mutation) == ("Produse", False)
    assert query.fingerprint != parsed("query Produse { products(first: 2) { nodes { id } } }").fingerprint
    assert parsed("{ shop { id } }").name == "shop"
    assert parsed("mutation { tagsAdd { userErrors { message } } }").is_mutation
    assert len(parsed("query " + "A" * 80 + " { shop { id } }").name) == 50


@pytest.mark.parametrize(
    ("document", "cost"),
    [
        ("{ shop { name } }", 1),
        ("{ productsCount { count } }", 10),
        ("{ products(first: 1) { nodes { id } } }", 3),
        ("{ products(first: 5) { edges { node { id } } pageInfo { hasNextPage } } }", 5),
        ("{ products(first: 250) { nodes { id } } }", 13),
        ("query Q($n: Int!) { products(first: $n) { nodes { id } } }", 13),
        ("query Q($m: Int!) { products(first: $m) { nodes { id } } }", 2),
        ("{ products(first: 50) { nodes { variants(last: 5) { nodes { id } } } } }", 2 + 7 * (1 + 5)),
        ("{ products(first: 250) { nodes { a(first: 250) { nodes { b(first: 250) { nodes { id } } } } } } }", 1000),
        ("mutation { bulkOperationRunQuery { bulkOperation { id } userErrors { code } } }", 11),
        ("{ a { ...F } } fragment F on A { b { ...F } }", 2),
        ("{ node(id: 1) { ... on Product { variants(first: 0) { nodes { id } } } } }", 3),
    ],
)
def test_the_likely_cost_is_shopifys_or_a_little_above(document: str, cost: float) -> None:
    assert likely_cost(parsed(document), {"n": 250}) == cost


@given(st.integers(-5, 1000))
def test_a_larger_page_weighs_more(size: int) -> None:
    assert 0 <= page_weight(size) <= page_weight(size + 1) <= 20
