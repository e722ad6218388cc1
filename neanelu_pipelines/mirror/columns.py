"""From decoded nodes to rows fit for COPY: every declared column as a value and as the ways it can be wrong.

Belongs here: how each kind of column is read, checked and given the type that it is copied as. All of it is vectorized
over a block. Does not belong here: what is only wrong beside other rows (duplicates, orphans), which SQL finds in
staging.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from neanelu_pipelines.database.wire import JSONB, numerics
from neanelu_pipelines.mirror.declarations import Column, Derivation, Kind, Shape
from neanelu_pipelines.shopify import nodes

DECODED = "decoded"
"""The column in which a frame holds what its lines' JSON says, as a struct."""

# Narrower than ISO 8601 where PostgreSQL is: it knows no year 0 and no offset of 16 hours.
# `[0-9]`, because `\d` takes the digits of every script. Weights are floats, and a small float has an exponent.
_TIMESTAMP = (
    r"^(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$"
)
_DECIMAL = r"^-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?$"
_NO_DECIMAL = "is not a decimal number (of at most 30 digits before the point, and 30 after it)"
_INT32 = 2**31
_TOPIC_OF_A_CUSTOMER = r"^customer_((?:joined|left)_segment|tags_(?:added|removed))$"
_LONG_EVENTS = (
    r"^(.+?)_(scopes_update|admin_api_activity|approaching_capped_amount|purchasing_summary|redeemcode_\w+"
    r"|(?:cancellation|fulfillment)_request_\w+|fulfillment_service_failed_to_complete|hold_released|placed_on_hold"
    r"|line_items_prepared_for_\w+|order_routing_complete|scheduled_fulfillment_order_ready|(?:add|remove|receive)_items"
    r"|mark_in_transit|update_item_quantities|update_tracking|ready_to_ship|partially_fulfilled|risk_assessment_changed"
    r"|shopify_protect_eligibility_changed|full_sync|full_sync_finish|incremental_sync|attach_deliverable"
    r"|(?:in|out_of)_stock)$"
)
_SHORT_EVENT = r"^([^/.]+)_([^_/.]+)$"
_ENTITIES = {"&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}


@dataclass(frozen=True)
class Check:
    """One way in which a column can be wrong: true where it is, with the code and words of the rejection."""

    column: str
    code: str
    message: str
    wrong: pl.Expr


@dataclass(frozen=True)
class Field:
    """A column in two steps, so that nothing is derived twice.

    `raw` is read from the column `DECODED`; the checks and `value`, as `wire` takes it, are made of that, which stands
    under the column's own name by then.
    """

    column: Column
    raw: pl.Expr
    value: pl.Expr
    checks: tuple[Check, ...]


def schema_of(columns: Iterable[Column], also: Iterable[str] = ()) -> pl.DataType:
    """The schema by which nodes are decoded: every path of these columns and others, plain values as text."""
    paths: list[tuple[str, Shape]] = [(path, "text") for path in also]
    for column in columns:
        whole = column.sources if column.kind in (Kind.JSON, Kind.TEXT_ARRAY) else ()
        paths += [(path, column.shape if path in whole else "text") for path in column.paths]
    # Longer paths last: `sources` (a list of objects) first, then `sources.0.url` goes into it.
    return nodes.polars_type(nodes.schema_tree(sorted(paths, key=lambda path: path[0].count("."))))


def field_at(path: str) -> pl.Expr:
    """The value at a dotted path in the decoded column; null where anything on the way is null."""
    value = pl.col(DECODED)
    for segment in path.split("."):
        name, picks, said = segment.partition("=")
        if picks:
            value = value.list.filter(pl.element().struct.field(name) == said).list.first()
        elif segment.isdigit():
            value = value.list.get(int(segment), null_on_oob=True)
        else:
            value = value.struct.field(segment)
    return value


def fields_of(
    columns: Iterable[Column],
    *,
    shop_currency: str | None,
    deciding: Collection[str] = (),
    latest: datetime | None = None,
) -> tuple[Field, ...]:
    """How each of these columns is read, checked and written. Those `deciding` what is newer lie before `latest`."""
    fields = tuple(_field(column, shop_currency) for column in columns)
    if latest is None:
        return fields
    return tuple(_not_after(latest, field) if field.column.name in deciding else field for field in fields)


def _not_after(latest: datetime, field: Field) -> Field:
    """A time that lies ahead would make every true one after it the older one.

    Compared as text, which costs next to nothing: an offset from UTC blurs the limit by less than a day.
    """
    wrong = pl.col(field.column.name).is_between(pl.lit(f"{latest:%Y-%m-%dT%H:%M:%S}"), pl.lit("9999-99"))
    ahead = Check(field.column.name, "out_of_range", "lies more than a day ahead of this load", wrong)
    return replace(field, checks=(*field.checks, ahead))


def json_member(column: Column) -> pl.Expr:
    """A checked raw value as a member of a JSON object: numbers that count and truth values as themselves."""
    raw = pl.col(column.name)
    if column.kind in (Kind.INTEGER, Kind.BIGINT):
        return raw.cast(pl.Int64, strict=False)
    return raw == "true" if column.kind is Kind.BOOLEAN else raw


def _field(column: Column, shop_currency: str | None) -> Field:
    raw = pl.col(column.name)
    value, checks = _VALUES[column.kind](column, raw)
    if column.required:
        checks = (Check(column.name, "missing_required", "is missing or null", raw.is_null()), *checks)
    return Field(column, _raw(column, shop_currency).alias(column.name), value.alias(column.name), checks)


def _raw(column: Column, shop_currency: str | None) -> pl.Expr:
    if column.members is not None:
        return pl.struct(field_at(path).alias(name) for name, path in column.members.items())
    read = [field_at(path) for path in column.sources]
    match column.derivation:
        case Derivation.GID_NUMBER:
            read.append(pl.col("gid").str.extract(r"/(\d+)(?:\?.*)?$"))
        case Derivation.PLAIN_TEXT:
            read.append(_plain_text(field_at(column.derived_from or "")))
        case Derivation.SHOP_CURRENCY:
            read.append(pl.lit(shop_currency, dtype=pl.String))
        case Derivation.LOWER_CASE | Derivation.CATALOG_TYPE | Derivation.TOPIC:
            read.append(_DERIVED[column.derivation](field_at(column.derived_from or "")))
        case None:
            pass
    if column.by_node is not None:
        read.append(pl.col("node").replace_strict(dict(column.by_node), default=None, return_dtype=pl.String))
    value = pl.coalesce(read) if len(read) > 1 else read[0]
    if column.derivation is Derivation.PLAIN_TEXT and column.max_bytes:
        value = pl.when(value.str.len_bytes() > column.max_bytes).then(value.str.head(_cut_at(column))).otherwise(value)
    if column.test is None:
        return value
    holds = value.is_not_null() if column.test.value is None else value.eq_missing(pl.lit(column.test.value))
    return pl.when(holds).then(pl.lit(column.test.then)).otherwise(pl.lit(column.test.otherwise))


def filled(columns: Iterable[Column], rows: pl.DataFrame) -> list[str]:
    """The names of the columns that hold a value of the lines somewhere in these rows for staging."""
    # A test's column says something of each line, and what stands for null is nobody's value.
    return [column.name for column in columns if column.test is None and _holds_value(column, rows[column.name])]


def _holds_value(column: Column, values: pl.Series) -> bool:
    stand_ins = [*(column.by_node or {}).values(), *([JSONB + column.empty] if column.empty else [])]
    if not stand_ins:
        return values.null_count() < len(values)
    return bool((~values.is_in(stand_ins)).any())


def cut_lines(columns: Iterable[Column], frame: pl.DataFrame) -> int:
    """In how many rows a text was cut, because it is longer than its column's limit.

    Only texts made of HTML are, or could be (Shopify gives `description` beside `descriptionHtml`): they are for search
    and display, and the mirror keeps the HTML as it came. They keep as many characters as fit whatever these are.
    """
    cut = 0
    for column in columns:
        if column.derivation is Derivation.PLAIN_TEXT and column.max_bytes:
            texts = frame[column.name]
            long = texts.filter(texts.str.len_bytes() >= _cut_at(column))  # almost always none: nothing to count
            cut += int((long.str.len_chars() == _cut_at(column)).sum())
    return cut


def _cut_at(column: Column) -> int:
    """Characters; four bytes each at most."""
    return (column.max_bytes or 0) // 4


def _plain_text(html: pl.Expr) -> pl.Expr:
    """HTML without its tags, on one line, as Shopify's own `description` is."""
    text = html.str.replace_all(r"<[^<>]*>", " ").str.replace_many(_ENTITIES)
    # A lone blank between two words, the usual case, is left as it is: matching it would cost most of the time.
    return text.str.replace_all(r"\s{2,}|[\t\n\r]", " ").str.strip_chars()


def _catalog_type(gid: pl.Expr) -> pl.Expr:
    """The kind that stands in a catalog's GID, as enums are written."""
    return gid.str.extract(r"/([A-Za-z]+)Catalog/").str.replace_all("([a-z])([A-Z])", "${1}_$2").str.to_uppercase()


def _topic(name: pl.Expr) -> pl.Expr:
    """What happened stands last in a topic's name, most often as one word."""
    topic = name.str.to_lowercase().str.replace(_TOPIC_OF_A_CUSTOMER, "customer.$1")
    return topic.str.replace(_LONG_EVENTS, "$1/$2").str.replace(_SHORT_EVENT, "$1/$2")


_DERIVED: dict[Derivation, Callable[[pl.Expr], pl.Expr]] = {
    Derivation.LOWER_CASE: lambda text: text.str.to_lowercase(),
    Derivation.CATALOG_TYPE: _catalog_type,
    Derivation.TOPIC: _topic,
}


def _text(column: Column, raw: pl.Expr) -> tuple[pl.Expr, tuple[Check, ...]]:
    checks: list[Check] = []
    if column.max_length is not None:
        wrong = raw.str.len_chars() > column.max_length
        checks.append(Check(column.name, "too_long", f"is longer than {column.max_length} characters", wrong))
    if column.max_bytes is not None:
        wrong = raw.str.len_bytes() > column.max_bytes
        checks.append(Check(column.name, "too_long", f"is longer than {column.max_bytes:,} bytes", wrong))
    if column.choices is not None:
        wrong = ~raw.is_in(sorted(column.choices))
        message = f"is none of {', '.join(sorted(column.choices))}"
        checks.append(Check(column.name, "not_in_enum", message, wrong))
    return raw, tuple(checks)


def _integer(column: Column, raw: pl.Expr) -> tuple[pl.Expr, tuple[Check, ...]]:
    number = raw.cast(pl.Int64, strict=False)
    checks = [Check(column.name, "not_a_number", "is not a whole number of 64 bits", _lost(raw, number))]
    if column.kind is Kind.INTEGER:
        wrong = (number < -_INT32) | (number >= _INT32)
        checks.append(Check(column.name, "out_of_range", "does not fit a 32-bit integer", wrong))
        number = number.cast(pl.Int32, strict=False)
    return number, tuple(checks)


def _numeric(column: Column, raw: pl.Expr) -> tuple[pl.Expr, tuple[Check, ...]]:
    precision, scale = column.precision or (38, 9)
    limit = 10 ** (precision - scale) - 0.5 * 10**-scale
    number = raw.cast(pl.Float64, strict=False)
    return raw.map_batches(numerics, return_dtype=pl.Binary), (
        Check(column.name, "not_a_number", _NO_DECIMAL, ~raw.str.contains(_DECIMAL)),
        Check(column.name, "out_of_range", f"does not fit numeric({precision},{scale})", number.abs() >= limit),
    )


def _boolean(column: Column, raw: pl.Expr) -> tuple[pl.Expr, tuple[Check, ...]]:
    checks = (Check(column.name, "not_a_boolean", "is neither true nor false", ~raw.is_in(["true", "false"])),)
    return raw == "true", checks


def _timestamp(column: Column, raw: pl.Expr) -> tuple[pl.Expr, tuple[Check, ...]]:
    parsed = raw.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
    # At both ends of time an offset leads to a year that PostgreSQL takes and Python does not.
    beyond = ~parsed.dt.year().is_between(1, 9999)
    wrong = ~raw.str.contains(_TIMESTAMP) | _lost(raw, parsed) | beyond.fill_null(value=False)
    return parsed, (Check(column.name, "not_a_timestamp", "is not an ISO 8601 time with a zone", wrong),)


def _text_array(column: Column, raw: pl.Expr) -> tuple[pl.Expr, tuple[Check, ...]]:
    checks: tuple[Check, ...] = ()
    if column.max_length is not None:
        wrong = raw.list.eval(pl.element().str.len_chars() > column.max_length).list.any()
        message = f"has an element longer than {column.max_length} characters"
        checks = (Check(column.name, "too_long", message, wrong),)
    return raw.list.drop_nulls(), checks


def _json(column: Column, raw: pl.Expr) -> tuple[pl.Expr, tuple[Check, ...]]:
    if column.members is not None:
        nothing = pl.all_horizontal(raw.struct.field(name).is_null() for name in column.members)
        return JSONB + _or_empty(column, pl.when(~nothing).then(raw.struct.json_encode())), ()
    # Only structs can be encoded: wrap the value as {"v":…} and take the wrapping off the text again.
    wrapped = pl.struct(v=raw).struct.json_encode()
    checks: tuple[Check, ...] = ()
    if column.keyed_by is not None:
        wrong = raw.list.eval(pl.element().struct.field(column.keyed_by).is_null()).list.any()
        checks = (Check(column.name, "missing_required", f"has an element without {column.keyed_by}", wrong),)
    text = pl.when(raw.is_not_null()).then(wrapped.str.slice(5).str.head(-1))
    return JSONB + _or_empty(column, text), checks


def _or_empty(column: Column, text: pl.Expr) -> pl.Expr:
    return text if column.empty is None else text.fill_null(column.empty)


def _lost(raw: pl.Expr, converted: pl.Expr) -> pl.Expr:
    return raw.is_not_null() & converted.is_null()


_VALUES = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.BIGINT: _integer,
    Kind.NUMERIC: _numeric,
    Kind.BOOLEAN: _boolean,
    Kind.TIMESTAMP: _timestamp,
    Kind.TEXT_ARRAY: _text_array,
    Kind.JSON: _json,
}
