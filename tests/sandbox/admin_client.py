"""A plain client of the sandbox for its own tests: no waits, no retries, so that nothing is smoothed over."""

import json
import time
from typing import Any

import httpx

from neanelu_pipelines.sandbox.admin import Sandbox

RUN = """mutation($bulk: String!, $grouped: Boolean!) {
  bulkOperationRunQuery(query: $bulk, groupObjects: $grouped) {
    bulkOperation { id status objectCount url } userErrors { field message code } } }"""
POLL = """query($id: ID!) { node(id: $id) { ... on BulkOperation {
  id status errorCode objectCount rootObjectCount fileSize url partialDataUrl createdAt completedAt query } } }"""


class AdminClient:
    def __init__(self, sandbox: Sandbox, domain: str, version: str = "2025-10") -> None:
        self.sandbox = sandbox
        self.url = sandbox.url_template.format(domain=domain, version=version)
        self.http = httpx.Client(headers={"X-Shopify-Access-Token": sandbox.token(domain)}, timeout=30)

    def post(self, query: str, /, **variables: Any) -> httpx.Response:
        return self.http.post(self.url, json={"query": query, "variables": variables})

    def ask(self, query: str, /, **variables: Any) -> dict[str, Any]:
        answer = self.post(query, **variables)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def data(self, query: str, /, **variables: Any) -> dict[str, Any]:
        body = self.ask(query, **variables)
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    def refusal(self, query: str) -> dict[str, Any]:
        """The user error that a bulk query is refused with."""
        payload = self.data(RUN, bulk=query, grouped=True)["bulkOperationRunQuery"]
        assert payload["bulkOperation"] is None
        error: dict[str, Any] = payload["userErrors"][0]
        return error

    def start(self, query: str, *, grouped: bool = True) -> str:
        payload = self.data(RUN, bulk=query, grouped=grouped)["bulkOperationRunQuery"]
        assert payload["userErrors"] == []
        gid: str = payload["bulkOperation"]["id"]
        return gid

    def poll(self, gid: str) -> dict[str, Any]:
        node: dict[str, Any] = self.data(POLL, id=gid)["node"]
        return node

    def finish(self, gid: str) -> dict[str, Any]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            node = self.poll(gid)
            if node["status"] not in {"CREATED", "RUNNING", "CANCELING"}:
                return node
            time.sleep(0.005)
        raise AssertionError(f"{gid} does not end")

    def bulk(self, query: str, *, grouped: bool = True) -> bytes:
        ended = self.finish(self.start(query, grouped=grouped))
        assert ended["status"] == "COMPLETED", ended
        return self.http.get(ended["url"]).content if ended["url"] else b""

    def nodes(self, query: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.bulk(query).splitlines()]
