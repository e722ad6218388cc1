"""Recorded requests and replies of the Admin API, replayed over HTTP: the client reads each as it was meant."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from neanelu_pipelines.shopify import documents
from neanelu_pipelines.shopify.client import AdminClient
from neanelu_pipelines.shopify.faults import Refused, SearchIgnored, ShopifyFault
from neanelu_pipelines.shopify.queries import likely_cost, parsed
from neanelu_pipelines.shopify.replies import Reply
from tests.shopify.conftest import QUICK, access
from tests.shopify.scripted import Answer, scripted

FEWEST = 150
MOST_BELOW = 8
"""Points: a mutation that takes a list costs more with the list; the estimate does not look into it."""


@pytest.fixture(scope="module")
def recorded(shared: Path) -> list[dict[str, Any]]:
    folder = shared / "data/shopify/bulk/captures"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: the recorded traffic is not part of the project")
    found = [
        pair for path in sorted(folder.glob("*.json")) for pair in pairs(json.loads(path.read_text(encoding="utf-8")))
    ]
    assert len(found) >= FEWEST
    return found


def pairs(node: Any) -> Iterator[dict[str, Any]]:
    """Every request with its reply, wherever a capture has it."""
    if isinstance(node, dict):
        reply = node.get("response")
        if isinstance(node.get("query"), str) and isinstance(reply, dict):
            yield {**node, "response": reply.get("body", reply)}
        for child in node.values():
            yield from pairs(child)
    elif isinstance(node, list):
        for child in node:
            yield from pairs(child)


def test_each_reply_is_read_as_it_was_meant(recorded: list[dict[str, Any]]) -> None:
    refused = ignored = 0
    with (
        scripted(Answer()) as server,
        AdminClient(access(), database=None, endpoint=server.template, patience=QUICK) as client,
    ):
        for pair in recorded:
            body = pair["response"]
            server.answers[:] = [Answer(200, json.dumps(body).encode())]
            found = outcome(client, pair)
            sent = server.requests[-1].json
            assert sent["query"] == pair["query"]
            assert sent["variables"] == (pair.get("variables") or {})
            if "errors" in body:
                refused += 1
                assert isinstance(found, Refused), pair["query"]
                assert body["errors"][0]["message"][:100] in str(found)
            elif any(search.get("warnings") for search in body.get("extensions", {}).get("search", [])):
                ignored += 1
                assert isinstance(found, SearchIgnored), pair["query"]
            else:
                assert isinstance(found, Reply), (pair["query"], found)
                assert found.data == body["data"]
                cost = body.get("extensions", {}).get("cost")
                if cost is None:
                    assert found.cost is None
                    continue
                assert found.cost is not None
                assert found.cost.requested == cost["requestedQueryCost"]
                assert found.cost.actual == cost["actualQueryCost"]
                assert found.cost.restore_rate == cost["throttleStatus"]["restoreRate"]
    assert refused >= 5
    assert ignored >= 4


def outcome(client: AdminClient, pair: dict[str, Any]) -> Reply | ShopifyFault:
    try:
        return client.execute(pair["query"], pair.get("variables"))
    except ShopifyFault as fault:
        return fault


def test_the_estimated_cost_is_hardly_ever_too_low(recorded: list[dict[str, Any]]) -> None:
    off: list[float] = []
    for pair in recorded:
        cost = pair["response"].get("extensions", {}).get("cost")
        if cost:
            off.append(likely_cost(parsed(pair["query"]), pair.get("variables") or {}) - cost["requestedQueryCost"])
    assert len(off) >= FEWEST
    assert min(off) >= -MOST_BELOW
    assert max(off) <= 1
    assert sum(distance < 0 for distance in off) <= 1


LATER = {"several"}
"""What is only asked of versions from 2026-01 on, of which there is no schema here."""


def test_what_is_asked_beside_exports_fits_the_schema(shared: Path) -> None:
    sdl = shared / "data/shopify/admin_2025-10.graphql"
    if not sdl.is_file():
        pytest.skip(f"{sdl} is not here: Shopify's schema is not part of the project")
    schema = build_schema(sdl.read_text(encoding="utf-8"), assume_valid=True, assume_valid_sdl=True)
    files = sorted((Path(documents.__file__).parent / "operations").glob("*.graphql"))
    assert {file.stem for file in files} > LATER
    for file in files:
        if file.stem in LATER:
            continue
        assert validate(schema, parse(file.read_text(encoding="utf-8"))) == [], file
