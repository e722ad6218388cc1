"""The client over real HTTP: what each failure becomes, what is tried again and how long it waits."""

import gzip
import json
import logging
import socket
import traceback

import pytest

from neanelu_pipelines.shopify.access import Secret, ShopAccess, ShopError
from neanelu_pipelines.shopify.client import AdminClient, Patience
from neanelu_pipelines.shopify.endpoint import EndpointError
from neanelu_pipelines.shopify.faults import (
    AccessDenied,
    Permanent,
    Refused,
    ReplyTooLarge,
    SearchIgnored,
    ShopClosed,
    ShopifyFault,
    ShopMoved,
    TokenRefused,
    TooCostly,
    TooManyRequests,
    Transient,
    Unavailable,
)
from tests.shopify.conftest import DOMAIN, QUICK, TOKEN, ClientOf, access
from tests.shopify.scripted import Answer, bad, cost, good, scripted

QUERY = "query Shop { shop { name } }"
MUTATION = 'mutation Run { bulkOperationRunQuery(query: "{ shop }", groupObjects: false) { userErrors { message } } }'
HTML = Answer(200, b"<html>the proxy's own page</html>", {"Content-Type": "text/html"})
RESET = Answer(cut=None)


def test_data_and_cost_come_back(client_of: ClientOf) -> None:
    with scripted(good({"shop": {"name": "Grădina"}}, requested=3, actual=2.5, available=1997.5)) as server:
        reply = client_of(server).execute("query S($n: Int) { shop { name } }", {"n": 5})
    assert reply.data == {"shop": {"name": "Grădina"}}
    assert reply.cost is not None
    assert (reply.cost.requested, reply.cost.actual, reply.cost.available) == (3, 2.5, 1997.5)
    assert reply.warnings == ()
    [request] = server.requests
    assert request.path == f"/{DOMAIN}/admin/api/2025-10/graphql.json"
    assert request.json == {"query": "query S($n: Int) { shop { name } }", "variables": {"n": 5}}
    assert request.headers["X-Shopify-Access-Token"] == TOKEN


def test_a_compressed_reply_is_read(client_of: ClientOf) -> None:
    plain = good({"shop": {"name": "x" * 10_000}})
    packed = Answer(200, gzip.compress(plain.body), {"Content-Encoding": "gzip"})
    with scripted(packed) as server:
        assert client_of(server).execute(QUERY).data["shop"]["name"] == "x" * 10_000


@pytest.mark.parametrize(
    ("answer", "fault", "says"),
    [
        (Answer(402, b'{"errors":"Unavailable Shop"}'), ShopClosed, "frozen"),
        (Answer(403, b'{"errors":"Forbidden"}'), ShopClosed, "Forbidden"),
        (Answer(404, b'{"errors":"Not Found"}'), ShopClosed, "does not exist"),
        (Answer(423, b""), ShopClosed, "locked"),
        (Answer(401, b'{"errors":"[API] Invalid API key or access token"}'), TokenRefused, "neanelu shop add"),
        (Answer(400, b'{"errors":{"query":"Required parameter missing"}}'), Refused, "Required parameter"),
        (bad("MAX_COST_EXCEEDED", "Query cost is 1443, max is 1000.", requested=1443), TooCostly, "1443"),
        (bad("SHOP_INACTIVE", "Inactive"), ShopClosed, "Inactive"),
        (bad("undefinedField", "Field 'code' doesn't exist on type 'UserError'"), Refused, "UserError"),
        (bad(None, "syntax error"), Refused, "syntax error"),
        (Answer(200, b'{"errors":"a string"}'), Refused, "a string"),
        (Answer(200, b'{"errors":[null]}'), Refused, "null"),
    ],
)
def test_permanent_faults_are_not_tried_again(
    client_of: ClientOf, answer: Answer, fault: type[ShopifyFault], says: str
) -> None:
    with scripted(answer, good()) as server, pytest.raises(fault, match=says) as caught:
        client_of(server).execute(QUERY)
    assert isinstance(caught.value, Permanent)
    assert not caught.value.transient
    assert len(server.requests) == 1


def test_access_denied_names_the_scope(client_of: ClientOf) -> None:
    message = "Access denied for orders field. Required access: `read_orders` access scope."
    extra = {"requiredAccess": "`read_orders` access scope."}
    with scripted(bad("ACCESS_DENIED", message, extra=extra)) as server, pytest.raises(AccessDenied) as caught:
        client_of(server).execute(QUERY)
    assert caught.value.scope == "read_orders"
    assert "orders" in str(caught.value)


def test_data_beside_an_error_is_not_returned(client_of: ClientOf) -> None:
    body = {
        "data": {"shop": {"name": "x"}, "orders": None},
        "errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}],
    }
    with scripted(Answer(200, json.dumps(body).encode())) as server, pytest.raises(AccessDenied):
        client_of(server).execute(QUERY)


def test_a_filter_that_shopify_ignores_is_an_error(client_of: ClientOf) -> None:
    warning = {"field": "updated_att", "message": "Invalid search field for this query.", "code": "invalid_field"}
    search = [{"path": ["products"], "query": "updated_att:>2025", "warnings": [warning]}]
    body = {"data": {"products": {"nodes": []}}, "extensions": {"cost": cost(), "search": search}}
    with scripted(Answer(200, json.dumps(body).encode())) as server, pytest.raises(SearchIgnored, match="updated_att"):
        client_of(server).execute(QUERY)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, b"oops"),
        Answer(502, b"<html>"),
        Answer(503),
        Answer(408),
        RESET,
        Answer(200, good().body, cut=10),
        HTML,
        Answer(200, b'{"data":'),
        Answer(200, b"{}"),
        Answer(200, b"[]"),
        Answer(200, b"\xff\xfe"),
        Answer(200, b"[" * 200_000),
        Answer(200, b"not gzip", {"Content-Encoding": "gzip"}),
        bad("INTERNAL_SERVER_ERROR", "Internal error. Looks like something went wrong", extra={"requestId": "abc"}),
    ],
)
def test_transient_faults_are_tried_again(client_of: ClientOf, answer: Answer) -> None:
    naps: list[float] = []
    with scripted(answer, answer, good()) as server:
        assert client_of(server, naps).execute(QUERY).data
    assert len(server.requests) == 3
    assert len(naps) == 2
    assert 0.5 <= naps[0] < 0.6
    assert 1.0 <= naps[1] < 1.2


@pytest.mark.parametrize("answer", [Answer(500), RESET, bad("INTERNAL_SERVER_ERROR", "Internal error")])
def test_a_mutation_that_may_have_been_carried_out_is_not_sent_again(client_of: ClientOf, answer: Answer) -> None:
    with scripted(answer, good()) as server, pytest.raises(Unavailable):
        client_of(server).execute(MUTATION)
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [bad("THROTTLED", "Throttled", requested=10, available=0), Answer(429)])
def test_a_mutation_that_was_refused_is_sent_again(client_of: ClientOf, answer: Answer) -> None:
    with scripted(answer, good()) as server:
        assert client_of(server).execute(MUTATION).data
    assert len(server.requests) == 2


def test_nobody_listens(client_of: ClientOf) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    naps: list[float] = []
    client = AdminClient(
        access(), database=None, endpoint=f"http://127.0.0.1:{port}/", sleep=naps.append, patience=QUICK
    )
    with client, pytest.raises(Unavailable, match="cannot be reached") as caught:
        client.execute(MUTATION)
    assert len(naps) == QUICK.tries - 1, "what was never sent may be sent again"
    assert caught.value.transient


def test_throttling_without_a_bucket_is_waited_out(client_of: ClientOf) -> None:
    naps: list[float] = []
    with scripted(bad("THROTTLED", "Throttled", requested=300, available=100, rate=100), good()) as server:
        client_of(server, naps).execute(QUERY)
    assert len(naps) == 1
    assert 2.0 <= naps[0] < 2.2


def test_a_decimal_retry_after_is_obeyed(client_of: ClientOf) -> None:
    naps: list[float] = []
    with scripted(Answer(429, b"", {"Retry-After": "2.5"}), good()) as server:
        client_of(server, naps).execute(QUERY)
    assert len(naps) == 1
    assert 2.5 <= naps[0] < 2.75


@pytest.mark.parametrize("header", ["nan", "-3", "inf", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_senseless_retry_after_is_left_alone(client_of: ClientOf, header: str) -> None:
    naps: list[float] = []
    with scripted(Answer(429, b"", {"Retry-After": header}), good()) as server:
        client_of(server, naps).execute(QUERY)
    assert naps[0] < 1


def test_tries_end(client_of: ClientOf) -> None:
    with scripted(Answer(503)) as server, pytest.raises(Unavailable):
        client_of(server).execute(QUERY)
    assert len(server.requests) == QUICK.tries


def test_waiting_ends(client_of: ClientOf) -> None:
    naps: list[float] = []
    with scripted(Answer(429, b"", {"Retry-After": "6"})) as server, pytest.raises(TooManyRequests) as caught:
        client_of(server, naps).execute(QUERY)
    assert naps == []
    assert caught.value.retry_after == 6
    assert isinstance(caught.value, Transient)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_token_does_not_follow_a_redirect(client_of: ClientOf, status: int) -> None:
    with scripted(good()) as other:
        moved = Answer(status, b"", {"Location": f"http://127.0.0.1:{other.port}/admin/api/2025-10/graphql.json"})
        with scripted(moved) as server, pytest.raises(ShopMoved) as caught:
            client_of(server).execute(QUERY)
        assert caught.value.location == "127.0.0.1"
        assert other.requests == []
    assert len(server.requests) == 1


def test_a_redirect_to_nowhere(client_of: ClientOf) -> None:
    with scripted(Answer(302, b"", {"Location": "http://[bad"})) as server, pytest.raises(ShopMoved) as caught:
        client_of(server).execute(QUERY)
    assert caught.value.location is None


def test_a_late_answer(client_of: ClientOf) -> None:
    hurry = Patience(tries=2, max_wait=5, timeout=0.2, max_reply_bytes=1000)
    slow = Answer(200, good().body, delay=0.5)
    with scripted(slow) as server, pytest.raises(Unavailable, match="in time"):
        client_of(server, patience=hurry).execute(QUERY)
    assert len(server.requests) == 2


def test_an_answer_that_drips(client_of: ClientOf) -> None:
    hurry = Patience(tries=1, max_wait=5, timeout=0.3, max_reply_bytes=1000)
    with scripted(Answer(200, b" " * 100, drip=0.05)) as server, pytest.raises(Unavailable, match="did not end"):
        client_of(server, patience=hurry).execute(QUERY)


def test_a_reply_that_is_too_large(client_of: ClientOf) -> None:
    bomb = Answer(200, gzip.compress(b" " * 20_000_000), {"Content-Encoding": "gzip"})
    with scripted(bomb) as server, pytest.raises(ReplyTooLarge, match="1000000 bytes"):
        client_of(server).execute(QUERY)
    assert len(server.requests) == 1


def test_warnings_say_what_will_break(client_of: ClientOf) -> None:
    headers = {
        "X-Shopify-API-Version": "2026-01",
        "X-Shopify-API-Deprecated-Reason": "https://shopify.dev/api/usage/versioning",
    }
    with scripted(good(headers=headers)) as server:
        warnings = client_of(server).execute(QUERY).warnings
    assert any("2026-01" in warning for warning in warnings)
    assert any("take away" in warning for warning in warnings)


@pytest.mark.parametrize("document", ["", "{", "query A {a} query B {b}", "fragment F on X {a}", "{a " * 5000])
def test_what_is_no_request_is_not_sent(client_of: ClientOf, document: str) -> None:
    with scripted(good()) as server, pytest.raises(Refused):
        client_of(server).execute(document)
    assert server.requests == []


@pytest.mark.parametrize(
    "template",
    [
        "http://example.com/{domain}/graphql.json",
        "http://127.0.0.1.example.com/graphql.json",
        "http://10.0.0.1/graphql.json",
        "ftp://127.0.0.1/graphql.json",
        "https://user:pass@{domain}/graphql.json",
        "https:///graphql.json",
        "https://{domain}:port/graphql.json",
        "graphql.json",
    ],
)
def test_the_token_goes_nowhere_else(template: str) -> None:
    with pytest.raises(EndpointError) as caught:
        AdminClient(access(), database=None, endpoint=template, patience=QUICK)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize("template", ["https://{domain}/x", "http://localhost:1/x", "http://[::1]:1/x"])
def test_where_the_token_may_go(template: str) -> None:
    AdminClient(access(), database=None, endpoint=template, patience=QUICK).close()


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "x",
        "Casa.myshopify.com",
        "-a.myshopify.com",
        "a.myshopify.com.evil.com",
        "a.myshopify.com\n",
        "a/b.myshopify.com",
    ],
)
def test_what_is_no_shop_is_not_asked(domain: str) -> None:
    with pytest.raises(ShopError):
        ShopAccess(access().shop_id, domain, "2025-10", Secret(TOKEN))


@pytest.mark.parametrize("version", ["", "2025-11", "2025-10/../../x", "latest"])
def test_what_is_no_version_is_not_asked(version: str) -> None:
    with pytest.raises(ShopError):
        ShopAccess(access().shop_id, DOMAIN, version, Secret(TOKEN))


@pytest.mark.parametrize("token", [TOKEN + "\n", "ță" * 10, "short", TOKEN + " x", "x" * 300, ""])
def test_what_is_no_token_is_not_shown(token: str) -> None:
    with pytest.raises(ShopError) as caught:
        access(token=token)
    assert not token.strip() or token.strip() not in str(caught.value)


ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in TOKEN)


@pytest.mark.parametrize(
    "answer",
    [
        RESET,
        Answer(500, json.dumps({"errors": f"you sent {TOKEN}"}).encode()),
        Answer(401, json.dumps({"errors": f"bad token {TOKEN}"}).encode()),
        bad("BAD", f"echo {TOKEN}"),
        Answer(200, json.dumps({"errors": [{"message": f"echo {TOKEN}"}]}).replace(TOKEN, ESCAPED).encode()),
        Answer(401, json.dumps({"errors": TOKEN}).replace(TOKEN, ESCAPED).encode()),
        Answer(200, b"x", {"Content-Encoding": "gzip"}),
    ],
)
def test_the_token_is_in_no_error_and_no_log(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted(answer) as server:
        client = client_of(server)
        with pytest.raises(ShopifyFault) as caught:
            client.execute(QUERY)
    assert server.requests[0].headers["X-Shopify-Access-Token"] == TOKEN
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    assert TOKEN not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert TOKEN not in repr(client) + repr(access()) + str(access()) + repr(vars(client))


def test_a_header_that_is_no_ascii_is_no_fault(client_of: ClientOf) -> None:
    with scripted(good(headers={"X-Region": "Bucure\xe8ti"})) as server:
        assert client_of(server).execute(QUERY).data


def test_a_reply_that_is_packed_twice_is_not_unpacked(client_of: ClientOf) -> None:
    packed = gzip.compress(gzip.compress(good().body))
    twice = Answer(200, packed, {"Content-Encoding": "gzip, gzip"})
    with scripted(twice) as server, pytest.raises(Unavailable, match="encoding that it was not asked for"):
        client_of(server).execute(QUERY)


def test_a_redirect_that_says_the_token_back(client_of: ClientOf) -> None:
    moved = Answer(302, b"", {"Location": f"https://{TOKEN}.example.com/"})
    with scripted(moved) as server, pytest.raises(ShopMoved) as caught:
        client_of(server).execute(QUERY)
    assert TOKEN not in str(caught.value) + str(caught.value.location)
