"""What follows from a document alone."""

import pytest

from neanelu_pipelines.shopify.queries import likely_cost, parsed


def test_an_operation_is_named_and_known_by_its_text() -> None:
    query = parsed("query Produse { products(first: 1) { nodes { id } } }")
    assert (query.name, query.is_mutation) == ("Produse", False)
    assert query.fingerprint != parsed("query Produse { products(first: 2) { nodes { id } } }").fingerprint
    assert parsed("{ shop { id } }").name == "shop"
    assert parsed("mutation { tagsAdd { userErrors { message } } }").is_mutation
    assert len(parsed("query " + "A" * 80 + " { shop { id } }").name) == 50


@pytest.mark.parametrize(
    ("document", "least", "most"),
    [
        ("{ shop { name } }", 1, 1),
        ("{ products(first: 10) { edges { node { id } } pageInfo { hasNextPage } } }", 12, 12),
        ("query Q($n: Int!) { products(first: $n) { nodes { id } } }", 252, 252),
        ("{ products(first: 10) { nodes { variants(first: 10) { nodes { id } } } } }", 132, 142),
        ("{ products(first: 250) { nodes { variants(first: 250) { nodes { id } } } } }", 1000, 1000),
        ("mutation { bulkOperationRunQuery { bulkOperation { id } } }", 10, 12),
        ("{ a { ...F } } fragment F on A { b { ...F } }", 1, 5),
        ("{ node(id: 1) { ... on Product { variants(last: 5) { nodes { id } } } } }", 8, 8),
    ],
)
def test_the_likely_cost_is_not_far_below_shopifys(document: str, least: float, most: float) -> None:
    assert least <= likely_cost(parsed(document), {"n": 250}) <= most
