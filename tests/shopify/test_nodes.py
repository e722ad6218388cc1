"""Who a line is, what is in it, and what PostgreSQL refuses: the fast way and the slow way agree."""

import json
import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neanelu_pipelines.sandbox.wire import encode_line
from neanelu_pipelines.shopify.jsonl import cut_lines
from neanelu_pipelines.shopify.nodes import (
    decode,
    gid_type,
    identities,
    lines_of,
    look_like_objects,
    mend_escapes,
    mend_text,
)

P1, V1 = "gid://shopify/Product/1", "gid://shopify/ProductVariant/1"
NOBODY = (None, None, None, None)


@pytest.mark.parametrize(
    ("line", "identity"),
    [
        (encode_line({"id": V1, "title": "t"}, P1), ("ProductVariant", V1, "Product", P1)),
        (encode_line({"__typename": "Product", "id": P1}), ("Product", P1, None, None)),
        (b'{"title":"t","id":"gid://shopify/Product/1"}', ("Product", P1, None, None)),
        (b'{ "id" : "gid:\\/\\/shopify\\/Product\\/1" }', ("Product", P1, None, None)),
        (
            b'{"__parentId":"gid://shopify/Product/1","id":"gid://shopify/ProductVariant/1"}',
            ("ProductVariant", V1, "Product", P1),
        ),
        (encode_line({"id": P1, "note": ',"__parentId":"gid://shopify/Order/9"}'}), ("Product", P1, None, None)),
        (encode_line({"id": P1, "seo": {"id": V1, "__parentId": V1}}), ("Product", P1, None, None)),
        (
            encode_line({"id": "gid://shopify/InventoryLevel/1?inventory_item_id=2"}, V1),
            ("InventoryLevel", "gid://shopify/InventoryLevel/1?inventory_item_id=2", "ProductVariant", V1),
        ),
        (encode_line({"__typename": "Product", "title": "fără id"}), ("Product", None, None, None)),
        (encode_line({"id": P1, "__parentId": None}), ("Product", P1, None, None)),
        (encode_line({"id": P1, "__parentId": "nimic"}), ("Product", P1, "?", None)),
        (encode_line({"id": P1, "__parentId": P1 + "1" * 99}), ("Product", P1, "?", None)),
        (encode_line({"id": P1 + "1" * 99}), NOBODY),
        (encode_line({"id": "gid://shopify/Product/"}), NOBODY),
        (encode_line({"id": 1}), NOBODY),
        (b'{"id":"gid:\\/\\/shopify\\/Product\\/1\\u0000"}', ("Product", P1, None, None)),
        (b'{"id":"gid:\\/\\/shopify\\/Product\\/\\ud800"}', ("Product", "gid://shopify/Product/\ufffd", None, None)),
        (b"[]", NOBODY),
        (b"{", NOBODY),
        (b"[" * 100_000, NOBODY),
    ],
)
def test_identities(line: bytes, identity: tuple[Any, ...]) -> None:
    beside = encode_line({"id": V1}, P1)
    frame = identities(lines_of(cut_lines(beside + line.rstrip(b"\n") + b"\n" + beside, 1, 10**6)))

    assert frame.row(1) == identity
    assert frame.row(0) == frame.row(2) == ("ProductVariant", V1, "Product", P1)


def test_gid_type() -> None:
    assert gid_type(P1) == "Product"
    assert gid_type("Product/1") is None
    assert gid_type(None) is None


escapes = st.sampled_from(
    [
        "\\u0000",
        "\\uD800",
        "\\ud83d",
        "\\ude00",
        "\\ud83d\\ude00",
        "\\\\",
        "\\\\u0000",
        '\\"',
        "\\/",
        "\\n",
        "ă",
        "x",
        "\\u0041",
    ]
)


@given(st.lists(st.lists(escapes, max_size=8), min_size=1, max_size=5))
def test_mending_leaves_nothing_that_postgresql_refuses_and_everything_else(texts: list[list[str]]) -> None:
    data = b"".join(b'{"t":"' + "".join(text).encode() + b'"}\n' for text in texts)
    block = cut_lines(data, 1, 10**6)

    mended, count = mend_escapes(block)

    changed = 0
    for i in range(len(block)):
        before, after = json.loads(block.line(i))["t"], json.loads(mended.line(i))["t"]
        wanted = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in before if c != "\0")
        # A half pair before a NUL and one after it are no pair.
        assert after == wanted
        assert mend_text(block.line(i).decode()) == mended.line(i).decode()
        changed += before != after
    assert count == changed


SHAPE = pl.Struct({"a": pl.String(), "b": pl.List(pl.String())})


@given(
    st.lists(st.sampled_from(["good", "torn", "list", "two", "glued", "deep", "words"]), min_size=1, max_size=20),
    st.integers(),
)
def test_lines_that_cannot_be_decoded_take_no_other_with_them(kinds: list[str], seed: int) -> None:
    lines = {
        "good": '{"a":"1","b":["x"]}',
        "torn": '{"a":"1","b":[{}',
        "list": '[{"a":"1"}]',
        "two": '{"a":"1"},{"a":"2"}',
        "glued": '{"a":"1"}{"a":"2"}',
        "deep": '{"a":{"b":1}}',
        "words": "Bad Gateway",
    }
    random.Random(seed).shuffle(kinds)

    texts = pl.Series([lines[kind] for kind in kinds], dtype=pl.String)
    decoded, failed = decode(texts, look_like_objects(texts), SHAPE)

    taken = [i for i in range(len(kinds)) if i not in failed]
    assert set(np.array(kinds)[failed]) <= set(lines) - {"good"}
    assert len(decoded) == len(kinds)
    for i in taken:
        if kinds[i] == "good":
            assert decoded[i] == {"a": "1", "b": ["x"]}
    assert not {kinds[i] for i in taken} & {"torn", "list", "two", "glued", "words"}


def test_halves_that_make_one_object_beside_a_line_of_two_are_seen_by_their_identities() -> None:
    """As many objects as lines, and each of another line: three lines that all look like an object."""
    texts = pl.Series(['{"id":"1"},{"id":"2"}', '{"id":"3","b":[{}', "{}]}", '{"id":"4"}'])

    decoded, failed = decode(
        texts, look_like_objects(texts), pl.Struct({"id": pl.String()}), pl.Series(["1", "3", None, "4"])
    )

    assert failed.tolist() == [0, 1, 2]
    assert decoded.to_list() == [None, None, None, {"id": "4"}]
