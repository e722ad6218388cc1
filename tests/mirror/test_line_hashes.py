"""What of a line counts into a fingerprint: what it says, not how it ends; its parent where a row holds its key."""

import json

import numpy as np
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from neanelu_pipelines.mirror.routes import line_hashes
from neanelu_pipelines.sandbox.wire import encode_line
from neanelu_pipelines.shopify.jsonl import cut_lines
from neanelu_pipelines.shopify.nodes import identities, lines_of
from tests.mirror.lines import gid, media

SEED = 7
bodies = st.sampled_from([b'{"id":"x"}', b'{"a":"\\r\\n"}', b'{"t":"\xc4\x83"}  ', b"{", b"\r\r[]"])
endings = st.sampled_from([b"\n", b"\r\n", b"\r\r\n"])


def hashes(data: bytes, *, holds_parent: bool = True) -> list[int]:
    block = cut_lines(data, 1, 10**6)
    who = identities(lines_of(block))
    found: list[int] = line_hashes(block, who, np.full(len(block), holds_parent), SEED).view(np.uint64).tolist()
    return found


@settings(deadline=None)
@given(st.lists(st.tuples(bodies, endings), max_size=12), st.booleans())
def test_a_line_counts_without_its_line_end(lines: list[tuple[bytes, bytes]], torn: bool) -> None:
    data = b"".join(body + end for body, end in lines) + (b'{"torn":1}' if torn else b"")
    counted = [body for body, _ in lines if body.strip()] + [b'{"torn":1}'] * torn

    assert hashes(data) == [xxhash.xxh3_64_intdigest(line.rstrip(b"\r\n"), SEED) for line in counted]


def test_the_parent_counts_only_where_a_row_holds_its_key() -> None:
    under_one, under_other = (media(5, gid("Product", number)) for number in (1, 2))
    alone = media(5, gid("Product", 1)).split(b',"__parentId"')[0]

    assert len(set(hashes(under_one + under_other))) == 2
    assert hashes(under_one + under_other, holds_parent=False) == [xxhash.xxh3_64_intdigest(alone, SEED)] * 2


def test_the_parent_does_not_count_in_lines_that_somebody_wrote_anew() -> None:
    """Spaced, sorted: one picture under two products is the same there, too."""
    for form in ({"sort_keys": True}, {"separators": (", ", ": ")}):
        under = [json.dumps(json.loads(media(5, gid("Product", number))), **form) for number in (1, 2)]
        other = json.dumps(json.loads(media(5, gid("Product", 1), alt="alta")), **form)
        one, same, different = hashes("\n".join([*under, other]).encode(), holds_parent=False)
        assert one == same != different


def test_a_line_without_a_parent_counts_whole() -> None:
    line = encode_line({"id": gid("Product", 1), "title": ',"__parentId":'})

    assert hashes(line, holds_parent=False) == hashes(line)
