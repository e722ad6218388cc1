"""The nodes in a block of lines: who they are, and their fields as typed frames.

Belongs here: reading a line's identity without parsing it, decoding lines by an explicit schema, and finding the
lines that cannot be decoded. Does not belong here: bytes and line numbers (`jsonl`), which columns exist (`mirror`).
"""

import json
import math
import re
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute  # Polars imports it with its first column of Arrow's, which is in the middle of a load.
from numpy.typing import NDArray
from polars.datatypes import DataType

from neanelu_pipelines.shopify.jsonl import Block

SchemaTree: TypeAlias = "dict[str, SchemaTree] | list[SchemaTree] | str"

# A GID is gid://shopify/Type/number, sometimes with a query string. The bytes write each slash as `\/` or plainly.
# What follows the type is of ASCII's printable characters here: then, and with nothing that two branches begin with
# alike, the expression is one that is matched in a single pass, which takes half the time. Others are parsed.
_GID = r"gid:\\?/\\?/shopify\\?/([A-Za-z0-9_]+)\\?/([!#-\[\]-~]+)"
# Anchored at both ends of the line, where only the node's own fields can stand: `"` inside a string is escaped.
_HEAD = r'^\{"(?:__typename":"[A-Za-z0-9_]+",")?id":"' + _GID + r'"[,}]'
_TAIL = r',"__parentId":"' + _GID + r'"\}\s*$'
_TAIL_CHARACTERS = 140
# What the mirror's columns hold; Shopify's are half as long.
_LONGEST_GID = 100

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_TO_POLARS: dict[str, type[DataType]] = {
    "text": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
}


def lines_of(block: Block) -> pl.Series:
    """The block's lines as a string column over the same bytes, with their line ends (white space to JSON)."""
    count = len(block)
    whole = count > 0 and bool((block.starts[1:] == block.ends[:-1]).all())
    if not whole:
        return pl.Series("line", [block.line(i).decode("utf-8") for i in range(count)], dtype=pl.String)
    offsets = np.append(block.starts, block.ends[-1])
    array = pa.LargeStringArray.from_buffers(count, pa.py_buffer(offsets.tobytes()), pa.py_buffer(block.data))
    return pl.Series("line", array)


def identities(lines: pl.Series) -> pl.DataFrame:
    """Who each line is: columns `node` (type), `gid`, `parent_node`, `parent_gid`; null where it cannot be read.

    A line in Shopify's own form (identity first, `__parentId` last) is read without parsing it; any other is parsed.
    """
    # Two calls for everything, because a call costs more than what it does to the lines of a block.
    found = lines.to_frame("line").select(
        head=pl.col("line").str.extract_groups(_HEAD),
        tail=pl.col("line").str.tail(_TAIL_CHARACTERS).str.extract_groups(_TAIL),
        has_parent=pl.col("line").str.contains('"__parentId"', literal=True),
    )
    frame = found.select(
        node=_node("head"), gid=_gid("head"), parent_node=_node("tail"), parent_gid=_gid("tail"), unclear=_UNCLEAR
    )
    unclear = np.flatnonzero(frame.drop_in_place("unclear").to_numpy())
    return _patched(frame, lines, pl.Series(unclear)) if len(unclear) else frame


def _node(found: str) -> pl.Expr:
    return pl.col(found).struct.field("1")


def _gid(found: str) -> pl.Expr:
    return pl.format("gid://shopify/{}/{}", _node(found), pl.col(found).struct.field("2"))


_UNCLEAR = (
    _node("head").is_null()
    | (_node("tail").is_null() & pl.col("has_parent"))
    | (_gid("head").str.len_bytes() > _LONGEST_GID).fill_null(value=False)
    | (_gid("tail").str.len_bytes() > _LONGEST_GID).fill_null(value=False)
)
"""Lines whose identity has to be parsed."""


def _patched(frame: pl.DataFrame, lines: pl.Series, unclear: pl.Series) -> pl.DataFrame:
    parsed = pl.DataFrame([_parsed_identity(line) for line in lines.gather(unclear)], schema=frame.schema, orient="row")
    return (
        frame.with_row_index().update(parsed.with_columns(index=unclear), on="index", include_nulls=True).drop("index")
    )


def _parsed_identity(line: str) -> tuple[str | None, str | None, str | None, str | None]:
    try:
        node = json.loads(mend_text(line))
    except (ValueError, RecursionError):
        return None, None, None, None
    if not isinstance(node, dict):
        return None, None, None, None
    gid, parent, typename = node.get("id"), node.get("__parentId"), node.get("__typename")
    own = gid_type(gid) or (typename if isinstance(typename, str) else None)
    # A parent that nobody can name is a parent all the same: the node is not one of the roots.
    above = gid_type(parent) or (None if parent is None else "?")
    return own, gid if gid_type(gid) else None, above, parent if gid_type(parent) else None


def gid_type(gid: object) -> str | None:
    """`Product` of `gid://shopify/Product/1`; None of anything else, and of what no column could hold."""
    if not isinstance(gid, str) or len(gid) > _LONGEST_GID:
        return None
    match = re.match(r"gid://shopify/(\w+)/.", gid)
    return match.group(1) if match else None


def mend_escapes(block: Block) -> tuple[Block, int]:
    """The block without what PostgreSQL refuses in text and jsonb, and how many lines that changed.

    NUL characters are removed, half surrogate pairs become U+FFFD; everything else stays as it is, byte for byte.
    """
    suspects = {
        int(np.searchsorted(block.ends, match.start(), side="right")) for match in _SUSPECT.finditer(block.data)
    }
    mended = {i: _ESCAPE.sub(_mend, block.line(i)) for i in suspects if i < len(block)}
    mended = {i: line for i, line in mended.items() if line != block.line(i)}
    if not mended:
        return block, 0
    lines = [mended[i] if i in mended else block.line(i) for i in range(len(block))]
    ends = np.cumsum([len(line) for line in lines], dtype=np.int64)
    starts = np.concatenate((np.zeros(1, dtype=np.int64), ends[:-1]))
    return Block(b"".join(lines), starts, ends, block.numbers), len(mended)


def mend_text(line: str) -> str:
    """One line as `mend_escapes` leaves it."""
    return _ESCAPE.sub(_mend, line.encode()).decode()


def _mend(match: re.Match[bytes]) -> bytes:
    escape = match.group()
    if escape == b"\\u0000":
        return b""
    half_pair = len(escape) == len(b"\\ud800") and escape[1:3].lower() == b"ud" and escape[3:4].lower() in b"89abcdef"
    return b"\\ufffd" if half_pair else escape


def schema_tree(paths: Iterable[tuple[str, object]]) -> SchemaTree:
    """One schema for several dotted paths, each with the shape of its value.

    A number in a path means a list, and so does `name=available`: the object of a list that says so of itself.
    """
    tree: dict[str, SchemaTree] = {}
    for path, shape in paths:
        head, *rest = path.split(".")
        _merge(tree, head, _nest(rest, shape))
    return tree


def _nest(segments: list[str], shape: object) -> SchemaTree:
    if not segments:
        return shape  # type: ignore[return-value]  # a declared shape is a SchemaTree
    inner = _nest(segments[1:], shape)
    name, picks, _ = segments[0].partition("=")
    if picks and isinstance(inner, dict):
        return [{name: "text", **inner}]
    return [inner] if segments[0].isdigit() else {segments[0]: inner}


def _merge(tree: dict[str, SchemaTree], key: str, value: SchemaTree) -> None:
    present = tree.get(key)
    if isinstance(present, dict) and isinstance(value, dict):
        for inner_key, inner in value.items():
            _merge(present, inner_key, inner)
    elif isinstance(present, list) and isinstance(value, list) and isinstance(present[0], dict):
        present[0] = dict(present[0])
        for inner_key, inner in value[0].items() if isinstance(value[0], dict) else ():
            _merge(present[0], inner_key, inner)
    elif present is None:
        tree[key] = dict(value) if isinstance(value, dict) else value


def polars_type(tree: SchemaTree) -> DataType:
    """The Polars type that decodes this tree. Scalars of columns are read as text, so that no digit is lost."""
    if isinstance(tree, dict):
        return pl.Struct({name: polars_type(inner) for name, inner in tree.items()})
    if isinstance(tree, list):
        return pl.List(polars_type(tree[0]))
    return _TO_POLARS[tree]()


def look_like_objects(lines: pl.Series) -> NDArray[np.bool_]:
    """Which lines begin and end, less the white space around them, like a JSON object."""
    line = pl.col("line")
    begins, ends = line.str.starts_with("{"), line.str.tail(8).str.strip_chars_end().str.ends_with("}")
    if not (looks := lines.to_frame("line").select(begins & ends).to_series()).all():
        stripped = line.str.strip_chars()
        looks = lines.to_frame("line").select(stripped.str.starts_with("{") & stripped.str.ends_with("}")).to_series()
    return looks.to_numpy()


def decode(
    lines: pl.Series, objects: NDArray[np.bool_], schema: DataType, gids: pl.Series | None = None
) -> tuple[pl.Series, NDArray[np.int64]]:
    """Decode JSON objects by an explicit schema; `gids` are their identities, which field `id` must then agree with.

    Returns a struct column, null where a line cannot be decoded, and the indexes of those lines. One bad line makes
    Polars refuse the whole column, and it reads all lines as one array, in which a torn line may borrow from the
    next: so each line must look like an object (`objects` says which do), counts and identities must agree, and
    otherwise halves are tried separately.
    """
    whole = bool(objects.all())
    parts, failed = _decode_parts(
        lines if whole else lines.filter(pl.Series(objects)),
        schema,
        gids if whole or gids is None else gids.filter(pl.Series(objects)),
    )
    if whole and not failed:
        return pl.concat(parts) if len(parts) > 1 else parts[0], np.empty(0, dtype=np.int64)
    where = np.flatnonzero(objects)
    failed_at = np.union1d(np.flatnonzero(~objects), where[failed])
    good = np.setdiff1d(where, failed_at)
    decoded = pl.DataFrame({"i": good, "node": pl.concat(parts) if parts else pl.Series([], dtype=schema)})
    everywhere = pl.DataFrame({"i": np.arange(len(lines))}).join(decoded, on="i", how="left", maintain_order="left")
    return everywhere["node"], failed_at.astype(np.int64)


def _are_these(decoded: pl.Series, gids: pl.Series | None) -> bool:
    """Whether each decoded node is the one whose identity was read from its line."""
    return gids is None or decoded.struct.field("id").equals(gids, null_equal=True)


def _decode_parts(
    lines: pl.Series, schema: DataType, gids: pl.Series | None, offset: int = 0
) -> tuple[list[pl.Series], list[int]]:
    if not len(lines):
        return [pl.Series("line", [], dtype=schema)], []
    try:
        decoded = lines.str.json_decode(schema)
    except pl.exceptions.ComputeError:
        decoded = None
    if decoded is not None and len(decoded) == len(lines) and _are_these(decoded, gids):
        return [decoded], []
    if len(lines) == 1:
        return [], [offset]
    half = len(lines) // 2
    left, left_failed = _decode_parts(lines[:half], schema, None if gids is None else gids[:half], offset)
    right, right_failed = _decode_parts(lines[half:], schema, None if gids is None else gids[half:], offset + half)
    return left + right, left_failed + right_failed


def parsed(line: str) -> object:
    """The line's JSON, as `decode` reads it: to Python NaN and 1e999 are JSON too.

    Raises:
        ValueError: it is none, in words that quote none of its values.
        RecursionError: it is nested too deeply.
    """
    return json.loads(line, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no value")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError("a number is larger than any column holds")
    return value


def why_undecodable(line: str) -> tuple[str, str]:
    """The error code and the reason for a line that `decode` refused, for a person."""
    try:
        node = parsed(line)
    except ValueError as error:
        return "malformed_json", f"The line is not JSON: {error}."
    except RecursionError:
        return "malformed_json", "The line is nested too deeply."
    if not isinstance(node, dict):
        return "not_an_object", "The line is JSON, but not an object."
    if line.count('"id"') > 1 and isinstance(node.get("id"), str):
        return "wrong_shape", "A field has the wrong shape, or the line names its own `id` more than once."
    return "wrong_shape", "A field holds a list or an object where a plain value belongs, or the other way round."
