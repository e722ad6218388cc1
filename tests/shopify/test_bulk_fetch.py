"""Results on their way in: from servers that do not do what they should, and pieces that are not what they were."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.shopify.bulk.fetch import (
    Fetcher,
    ForbiddenUrlError,
    ResultTooLargeError,
    UrlRefusedError,
    require_fetchable,
)
from neanelu_pipelines.shopify.bulk.pieces import DamagedPieceError, Shelf, Whole
from neanelu_pipelines.shopify.bulk.states import State
from neanelu_pipelines.shopify.bulk.verify import problem_with
from neanelu_pipelines.shopify.faults import Unavailable

DATA = b"".join(b'{"id":"gid:\\/\\/shopify\\/Product\\/%d"}\n' % number for number in range(500))
SECRET = "Signature=s3cret%2Bsigned%3D"


@dataclass
class Asked:
    path: str
    begin: int
    headers: dict[str, str]


@dataclass
class Sent:
    """An answer to a download; `says` is the Content-Length where it is not the body's own."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    says: int | None = None


Answers = Callable[[Asked], Sent]


def ranged(asked: Asked, data: bytes = DATA) -> Sent:
    """What a good server answers."""
    if asked.begin >= len(data):
        return Sent(416)
    return Sent(206, data[asked.begin :], {"Content-Range": f"bytes {asked.begin}-{len(data) - 1}/{len(data)}"})


@contextmanager
def serving(answers: Answers) -> Iterator[tuple[str, list[Asked]]]:
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            one = Asked(self.path, int(found[1]) if found else 0, dict(self.headers))
            asked.append(one)
            sent = answers(one)
            self.send_response(sent.status)
            for name, value in sent.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(sent.says if sent.says is not None else len(sent.body)))
            self.end_headers()
            self.wfile.write(sent.body)
            self.close_connection = sent.says is not None

        def log_message(self, *args: object) -> None:
            """Nothing: the test looks at what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/result.jsonl?{SECRET}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(str(tmp_path / "store" / "result.jsonl"))


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(this_machine=True, most_bytes=100_000, piece_bytes=4096, sleep=lambda _: None)


def joined(shelf: Shelf, tmp_path: Path) -> bytes:
    shelf.join()
    target = tmp_path / "store" / "result.jsonl"
    shelf.publish(str(target))
    return target.read_bytes()


def test_a_result_comes_in_with_its_signature_and_without_a_token(
    shelf: Shelf, fetcher: Fetcher, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(ranged) as (url, asked), caplog.at_level("DEBUG"):
        fetcher.fetch(url, shelf, len(DATA))
    assert joined(shelf, tmp_path) == DATA
    assert [one.path for one in asked] == [f"/result.jsonl?{SECRET}"]
    assert asked[0].headers["Accept-Encoding"] == "identity"
    assert "X-Shopify-Access-Token" not in asked[0].headers
    assert "result.jsonl" in caplog.text
    assert "s3cret" not in caplog.text


def test_no_more_is_taken_than_tells_that_it_is_too_much(shelf: Shelf, fetcher: Fetcher) -> None:
    with serving(ranged) as (url, _):
        fetcher.fetch(url, shelf, 5000)
    assert shelf.end() == 5001


def test_a_broken_connection_loses_nothing_that_came_in(shelf: Shelf, fetcher: Fetcher, tmp_path: Path) -> None:
    def cut(asked: Asked) -> Sent:
        whole = ranged(asked)
        return Sent(whole.status, whole.body[:5000], whole.headers, says=len(whole.body))

    with serving(cut) as (url, asked):
        fetcher.fetch(url, shelf, len(DATA))
    assert [one.begin for one in asked] == list(range(0, len(DATA), 5000))
    assert joined(shelf, tmp_path) == DATA


def test_another_process_goes_on_where_one_stopped(shelf: Shelf, fetcher: Fetcher, tmp_path: Path) -> None:
    shelf.put(0, DATA[:4096])
    shelf.put(4096, DATA[4096:5000])
    shelf.put(9000, DATA[9000:9500])  # does not join on
    (torn := next((tmp_path / "store").rglob("000000000004096-*"))).write_bytes(DATA[4096:4500])
    with serving(ranged) as (url, asked):
        fetcher.fetch(url, Shelf(str(tmp_path / "store" / "result.jsonl")), len(DATA))
    assert [one.begin for one in asked] == [4096]
    assert not torn.exists()
    assert joined(shelf, tmp_path) == DATA


def test_a_server_without_ranges_is_read_from_the_beginning(shelf: Shelf, fetcher: Fetcher, tmp_path: Path) -> None:
    shelf.put(0, DATA[:4096])
    with serving(lambda _: Sent(200, DATA)) as (url, _):
        fetcher.fetch(url, shelf, len(DATA))
    assert joined(shelf, tmp_path) == DATA


@pytest.mark.parametrize("answers", [ranged, lambda _: Sent(200, DATA)], ids=["ranges", "no ranges"])
def test_a_shorter_file_than_was_said_does_not_go_on_for_ever(
    shelf: Shelf, fetcher: Fetcher, tmp_path: Path, answers: Answers
) -> None:
    with serving(answers) as (url, asked):
        fetcher.fetch(url, shelf, len(DATA) + 10)
    assert len(asked) == 2
    assert joined(shelf, tmp_path) == DATA


def test_without_a_size_the_answer_that_ends_is_the_whole(shelf: Shelf, fetcher: Fetcher, tmp_path: Path) -> None:
    with serving(ranged) as (url, asked):
        fetcher.fetch(url, shelf, None)
    assert len(asked) == 1
    assert joined(shelf, tmp_path) == DATA


@pytest.mark.parametrize(
    "sent",
    [
        Sent(503),
        Sent(429),
        Sent(206, DATA, {"Content-Range": f"bytes 7-{len(DATA)}/{len(DATA)}"}),
        Sent(206, DATA),
        Sent(206, b"", {"Content-Range": f"bytes 0-{len(DATA)}/{len(DATA)}"}, says=100),
    ],
)
def test_what_never_gets_better_is_given_up(shelf: Shelf, fetcher: Fetcher, sent: Sent) -> None:
    with serving(lambda _: sent) as (url, asked), pytest.raises(Unavailable) as given_up:
        fetcher.fetch(url, shelf, len(DATA))
    assert len(asked) == 5
    assert "s3cret" not in str(given_up.value)
    assert shelf.end() == 0


def test_a_redirect_is_not_followed(shelf: Shelf, fetcher: Fetcher) -> None:
    with serving(ranged) as (elsewhere, asked):
        redirect = Sent(302, headers={"Location": elsewhere})
        with serving(lambda _: redirect) as (url, _), pytest.raises(ForbiddenUrlError, match="redirects"):
            fetcher.fetch(url, shelf, len(DATA))
    assert asked == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refused_url_is_told_as_such(shelf: Shelf, fetcher: Fetcher, status: int) -> None:
    with serving(lambda _: Sent(status)) as (url, asked), pytest.raises(UrlRefusedError) as refused:
        fetcher.fetch(url, shelf, len(DATA))
    assert len(asked) == 1
    assert "s3cret" not in str(refused.value)


def test_a_result_without_end_is_cut_off(shelf: Shelf, fetcher: Fetcher) -> None:
    with serving(lambda asked: ranged(asked, DATA * 10)) as (url, _), pytest.raises(ResultTooLargeError):
        fetcher.fetch(url, shelf, None)


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.googleapis.com/a?x",
        "ftp://storage.googleapis.com/a",
        "https://localhost/a",
        "https://127.0.0.1/a",
        "http://[::1]:80/a",
        "https://10.0.0.7/a",
        "https://169.254.169.254/latest",
        "https://[fd00::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://metadata.google.internal/a",
        "https://intranet/a",
        "https://user:word@storage.googleapis.com/a",
        "https:///a",
        "https://[broken/a",
        "https://storage.googleapis.com:port/a",
        "file:///etc/passwd",
        "",
    ],
)
def test_only_public_https_is_fetched(url: str) -> None:
    with pytest.raises(ForbiddenUrlError):
        require_fetchable(url, this_machine=False)


def test_this_machine_is_fetched_from_only_if_the_api_is_on_it() -> None:
    require_fetchable("https://storage.googleapis.com/a?Signature=b", this_machine=False)
    require_fetchable("https://storage.googleapis.com/a?Signature=b", this_machine=True)
    require_fetchable("http://127.0.0.1:8799/a", this_machine=True)
    with pytest.raises(ForbiddenUrlError):
        require_fetchable("http://10.0.0.7/a", this_machine=True)


# Pieces ---------------------------------------------------------------------------------------------------------------


def test_a_damaged_piece_is_found_and_removed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(0, DATA[:4096])
    shelf.put(4096, DATA[4096:])
    piece = next((tmp_path / "store").rglob("000000000004096-*"))
    piece.write_bytes(b"\0" * piece.stat().st_size)
    with pytest.raises(DamagedPieceError):
        shelf.join()
    assert shelf.end() == 4096


def test_pieces_are_kept_in_any_store() -> None:
    shelf = Shelf("memory://bulk/shop/products/run.jsonl")
    assert shelf.end() == 0
    shelf.put(0, DATA[:100])
    shelf.put(100, DATA[100:])
    assert shelf.end() == len(DATA)
    assert shelf.join().sha256 == hashlib.sha256(DATA).hexdigest()
    shelf.publish("memory://bulk/shop/products/run.jsonl")
    shelf.clear()
    assert shelf.end() == 0
    assert shelf._files.cat_file("/bulk/shop/products/run.jsonl") == DATA


texts = st.text(st.sampled_from('"\\/:{},_parentId__\n\x00é'), max_size=20)
lines = st.lists(st.tuples(texts, st.none() | texts, st.booleans()), max_size=12)


@given(lines, st.lists(st.integers(1, 60), max_size=10), st.booleans())
def test_lines_and_roots_are_counted_whatever_stands_in_them(
    rows: list[tuple[str, str | None, bool]], cuts: list[int], torn: bool
) -> None:
    written = []
    for text, parent, deep in rows:
        node: dict[str, object] = {"title": text}
        if deep:
            node["json"] = {"__parentId": text}
        if parent is not None:
            node["__parentId"] = parent.replace('"', "").replace("\n", "").replace("\x00", "")
        written.append(json.dumps(node, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/"))
    data = "".join(f"{line}\n" for line in written).encode()
    data = data[:-1] if torn and data else data
    shelf = Shelf("memory://counted/result.jsonl")
    shelf.clear()
    begin = 0
    for cut in [*cuts, len(data)]:
        if piece := data[begin : begin + cut]:
            shelf.put(begin, piece)
            begin += len(piece)
    whole = shelf.join()
    assert (whole.bytes, whole.lines) == (len(data), len(rows))
    assert whole.roots == sum(parent is None for _, parent, _ in rows)
    assert whole.ends_with_newline == (not torn or not data)
    assert whole.sha256 == hashlib.sha256(data).hexdigest()


def test_each_count_that_does_not_match_is_told() -> None:
    state = State(operation_id="gid://shopify/BulkOperation/1", objects=3, roots=1, bytes=100)
    assert problem_with(Whole(100, 3, 1, "", ends_with_newline=True), state) is None
    wrong = problem_with(Whole(99, 2, 2, "", ends_with_newline=False), state)
    assert wrong == (
        "The result of gid://shopify/BulkOperation/1 is not complete (bytes: 99 instead of 100; lines: 2 instead of 3; "
        "lines without a parent: 2 instead of 1; its last line is torn off)."
    )


def test_recorded_results_are_counted_as_shopify_counted_them(shared: Path) -> None:
    folder = shared / "data/shopify/bulk/jsonl"
    counted = {}
    for path in sorted(folder.glob("*.jsonl")):
        shelf = Shelf(f"memory://recorded/{path.name}")
        shelf.put(0, path.read_bytes())
        whole = shelf.join()
        counted[path.name] = (whole.bytes, whole.lines, whole.roots, whole.ends_with_newline)
    assert counted["products_id_title_groupObjects_true.byteexact.jsonl"] == (115_969, 1456, 1456, True)
    roots = [json.loads(line) for line in (folder / "products_variants_media_metafields.raw.jsonl").open()]
    assert counted["products_variants_media_metafields.raw.jsonl"][2] == sum("__parentId" not in one for one in roots)
