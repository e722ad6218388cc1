"""Faults come when they are called: each kind, as often as asked, where asked."""

import contextlib
import time
from collections.abc import Iterator

import httpx
import pytest

from neanelu_pipelines.sandbox.admin import Sandbox, Trouble
from tests.sandbox.admin_client import AdminClient
from tests.sandbox.conftest import DOMAIN, OTHER, made


@pytest.fixture(scope="module")
def serving() -> Iterator[Sandbox]:
    with made() as sandbox:
        yield sandbox


@pytest.fixture
def admin(serving: Sandbox) -> AdminClient:
    """Nothing here changes a shop: one sandbox is enough, without the faults of the test before."""
    serving.faults.clear()
    return AdminClient(serving, DOMAIN)


SHOP = "{ shop { name } }"
PRODUCTS = "{ products { edges { node { id title } } } }"


def test_throttled_as_often_as_asked_and_no_more(admin: AdminClient) -> None:
    fault = admin.sandbox.faults.add("throttle", times=2, after=1)
    codes = ["errors" in admin.ask(SHOP) for _ in range(5)]
    assert codes == [False, True, True, False, False]
    assert fault.happened == 2


def test_a_fault_meets_only_what_it_is_meant_for(admin: AdminClient) -> None:
    admin.sandbox.faults.add("internal_error", shop=OTHER)
    admin.sandbox.faults.add("internal_error", matching="currencyCode")
    assert "errors" not in admin.ask(SHOP)
    assert admin.ask("{ shop { currencyCode } }")["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "errors" in AdminClient(admin.sandbox, OTHER).ask(SHOP)


def test_http_statuses(admin: AdminClient) -> None:
    admin.sandbox.faults.add(Trouble.STATUS, status=429, retry_after=1.5)
    answer = admin.post(SHOP)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1.5")
    for status in (402, 423, 500, 502):
        admin.sandbox.faults.add(Trouble.STATUS, status=status)
        assert admin.post(SHOP).status_code == status
    assert admin.post(SHOP).status_code == 200


def test_a_dropped_connection_hides_what_was_done(admin: AdminClient) -> None:
    admin.sandbox.faults.add(Trouble.DROP, matching="bulkOperationRunQuery")
    with pytest.raises(httpx.TransportError):
        admin.start(PRODUCTS)
    assert admin.data("{ currentBulkOperation { query } }")["currentBulkOperation"] == {"query": PRODUCTS}


def test_a_slow_answer(admin: AdminClient) -> None:
    admin.sandbox.faults.add(Trouble.SLOW, seconds=0.2)
    started = time.monotonic()
    admin.ask(SHOP)
    assert time.monotonic() - started >= 0.2


def test_a_renamed_shop_redirects_to_another_host(admin: AdminClient) -> None:
    admin.sandbox.faults.add(Trouble.RENAMED, to=OTHER)
    answer = admin.post(SHOP)
    assert answer.status_code == 301
    there = httpx.URL(answer.headers["Location"])
    assert there.host != httpx.URL(admin.url).host
    assert there.path == f"/{OTHER}/admin/api/2025-10/graphql.json"


def test_a_failed_operation_may_have_a_part_and_that_later(admin: AdminClient) -> None:
    admin.sandbox.faults.add(Trouble.BULK_FAILED, share=0.5, seconds=0.2)
    ended = admin.finish(admin.start(PRODUCTS))
    assert (ended["status"], ended["errorCode"], ended["url"]) == ("FAILED", "INTERNAL_SERVER_ERROR", None)
    assert ended["partialDataUrl"] is None
    time.sleep(0.25)
    part = admin.http.get(admin.poll(ended["id"])["partialDataUrl"]).content
    whole = admin.bulk(PRODUCTS)
    assert 0 < len(part) < len(whole)
    assert whole.startswith(part)
    assert part.endswith(b"\n")
    admin.sandbox.faults.add(Trouble.BULK_FAILED, partial=False)
    assert admin.finish(admin.start(PRODUCTS))["partialDataUrl"] is None


def test_canceled_with_a_url_and_expired_without(admin: AdminClient) -> None:
    admin.sandbox.faults.add(Trouble.BULK_CANCELED)
    ended = admin.finish(admin.start(PRODUCTS))
    assert ended["status"] == "CANCELED"
    assert admin.http.get(ended["url"]).status_code == 200
    admin.sandbox.faults.add(Trouble.BULK_EXPIRED)
    ended = admin.finish(admin.start(PRODUCTS))
    assert (ended["status"], ended["url"]) == ("EXPIRED", None)


def test_files_and_counters_that_do_not_agree(admin: AdminClient) -> None:
    honest = admin.finish(admin.start(PRODUCTS))
    size, count = int(honest["fileSize"]), int(honest["objectCount"])
    admin.sandbox.faults.add(Trouble.TRUNCATED, share=0.7)
    ended = admin.finish(admin.start(PRODUCTS))
    assert (ended["fileSize"], ended["objectCount"]) == (str(size), str(count))
    assert len(admin.http.get(ended["url"]).content) == int(size * 0.7)
    admin.sandbox.faults.add(Trouble.WRONG_COUNT)
    assert admin.finish(admin.start(PRODUCTS))["objectCount"] == str(count + 1)
    admin.sandbox.faults.add(Trouble.WRONG_SIZE)
    assert admin.finish(admin.start(PRODUCTS))["fileSize"] == str(size + 1)


def test_a_download_breaks_off_and_the_rest_can_be_had(admin: AdminClient) -> None:
    ended = admin.finish(admin.start(PRODUCTS))
    admin.sandbox.faults.add(Trouble.DROP_DOWNLOAD, share=0.5)
    got = b""
    with admin.http.stream("GET", ended["url"]) as answer, contextlib.suppress(httpx.TransportError):
        for block in answer.iter_bytes():
            got += block
    assert 0 < len(got) < int(ended["fileSize"])
    rest = admin.http.get(ended["url"], headers={"Range": f"bytes={len(got)}-"}).content
    assert got + rest == admin.http.get(ended["url"]).content


def test_a_download_is_refused(admin: AdminClient) -> None:
    url = admin.finish(admin.start(PRODUCTS))["url"]
    admin.sandbox.faults.add(Trouble.URL_EXPIRED)
    admin.sandbox.faults.add(Trouble.DOWNLOAD_STATUS, status=503)
    assert [admin.http.get(url).status_code for _ in range(3)] == [403, 503, 200]


def test_random_faults_follow_from_the_seed(admin: AdminClient) -> None:
    def troubled(seed: int) -> list[bool]:
        admin.sandbox.faults.random(seed, 0.5, (Trouble.THROTTLE,))
        return ["errors" in admin.ask(SHOP) for _ in range(30)]

    first = troubled(1)
    assert first == troubled(1)
    assert first != troubled(2)
    assert 5 < sum(first) < 25
    admin.sandbox.faults.clear()
    assert "errors" not in admin.ask(SHOP)


def test_faults_by_http(admin: AdminClient) -> None:
    faults = f"{admin.sandbox.address}/__faults"
    assert httpx.post(faults, json={"trouble": "throttle", "shop": DOMAIN}).status_code == 200
    assert "errors" in admin.ask(SHOP)
    wrong = httpx.post(faults, json={"trouble": "tired"})
    assert wrong.status_code == 400
    assert "throttle" in wrong.json()["troubles"]
    httpx.post(faults, json={"rate": 1.0})
    httpx.delete(faults)
    assert "errors" not in admin.ask(SHOP)


@pytest.mark.parametrize(
    "options",
    [
        {"trouble": "throttle", "times": "x"},
        {"trouble": "throttle", "times": 0},
        {"trouble": "status", "status": 42},
        {"trouble": "slow", "seconds": -1},
        {"trouble": "truncated", "share": True},
        {"trouble": "drop", "matching": 7},
        {"rate": 2},
        {"rate": "0.5"},
        [],
    ],
)
def test_a_fault_that_cannot_come_is_refused_in_words_and_troubles_nothing(admin: AdminClient, options: object) -> None:
    refused = httpx.post(f"{admin.sandbox.address}/__faults", json=options)
    assert (refused.status_code, bool(refused.json()["error"])) == (400, True)
    assert "errors" not in admin.ask(SHOP)
