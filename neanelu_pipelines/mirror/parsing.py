"""One block of an artifact's lines as rows for COPY: parsed, checked one by one, each rejected with its reason.

Belongs here: what can be said of a line by itself, and the rows that a block makes, without touching anything outside
the block: blocks are parsed side by side. Does not belong here: how a value is read (`columns`), what is summed up over
the blocks of a load (`staging`), and what is wrong only beside other rows (`verdicts`).
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from neanelu_pipelines.database.wire import JSONB, binary_rows
from neanelu_pipelines.mirror.changes import WantedOfBlock
from neanelu_pipelines.mirror.columns import (
    DECODED,
    Check,
    Field,
    cut_lines,
    field_at,
    fields_of,
    filled,
    json_member,
    schema_of,
)
from neanelu_pipelines.mirror.declarations import (
    CHILDREN_STAGING,
    LINKS_STAGING,
    TOLD_AT,
    Children,
    Column,
    Entity,
    Link,
    Resource,
)
from neanelu_pipelines.mirror.identities import Seen, seen_children, seen_entity, seen_links
from neanelu_pipelines.mirror.ledger import Shop
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.routes import Route, gid_hashes, hash_seed, holds_parent, line_hashes, routes_of, takers
from neanelu_pipelines.mirror.selection import absent_columns, first_without
from neanelu_pipelines.shopify import nodes
from neanelu_pipelines.shopify.jsonl import BadLine, Block

_WHO = ("at", "line_number", "fingerprint", "parent_gid")
_KEY = "(key)"
"""Beside the members of folded lines, which may have a `key` themselves."""
_ABSENT = "(absent)"
"""The columns that an incomplete line says nothing about, as JSON; null for a line that carries all that it must."""


@dataclass
class ParsedBlock:
    """What became of the lines of one block."""

    rows: list[tuple[str, bytes, int]] = field(default_factory=list)
    """Staging table, rows for COPY in the order of its columns, how many."""
    seen: list[Seen] = field(default_factory=list)
    """Who those rows are."""
    bad: list[BadLine] = field(default_factory=list)
    staged: Counter[str] = field(default_factory=Counter)
    """Staged lines by node type."""
    took: Counter[str] = field(default_factory=Counter)
    """Lines taken, rejected ones included, by the mirror table (or `table.field`) that they are for."""
    routes: set[str] = field(default_factory=set)
    """The owned parts (`table.field` or link table) of which the block holds lines."""
    values: list[tuple[Entity, list[str]]] = field(default_factory=list)
    """Columns that hold a value somewhere."""
    partial: set[str] = field(default_factory=set)
    """Mirror tables of which the block holds incomplete lines."""
    samples: list[tuple[Entity, str, list[str]]] = field(default_factory=list)
    """Lines of each node type to learn from: the first ones, the last, and of each field the first that lacks it."""
    mended: int = 0
    """Lines that held what PostgreSQL refuses in text."""
    cut: int = 0
    """Lines with a text that was cut at its column's limit."""


@dataclass
class _Lines:
    """The parsable lines of a block, with who they are."""

    block: Block
    text: pl.Series
    objects: NDArray[np.bool_]
    """Lines that look like a JSON object."""
    who: pl.DataFrame
    taken: NDArray[np.bool_]
    """Lines that some route leads somewhere."""
    wanted: NDArray[np.bool_]
    """Lines that some route wants staged."""
    decoded: NDArray[np.bool_]
    """Lines that were decoded, or rejected because they could not be."""
    parsed: ParsedBlock
    bad: dict[int, BadLine] = field(default_factory=dict)
    """Rejected lines, by index."""

    def copy(self, table: str, rows: pl.DataFrame, seen: Seen) -> None:
        if len(rows):
            self.parsed.rows.append((table, binary_rows(rows), len(rows)))
            self.parsed.seen.append(seen)


_VALID = pl.lit("valid")
_ONLY_ID = pl.Struct({"id": pl.String()})


class BlockParser:
    """Parses the blocks of one load; holds nothing that changes, so that several threads may use it at once."""

    def __init__(
        self,
        resource: Resource,
        shop: Shop,
        load: LoadRun,
        wants: Callable[[str], int],
        as_of: datetime,
    ) -> None:
        self._resource = resource
        self._load = load
        self._wants = wants
        self._seed = hash_seed(resource, shop.currency)
        self._routes = routes_of(resource)
        self._schemas = {route.target: _schema(route.part) for route in self._routes}
        # Clocks differ, and a result tells of changes made while it was made: a day is more than either.
        latest = max(as_of, datetime.now(UTC)) + timedelta(days=1)
        self._fields = {
            route.target: fields_of(
                _columns(route.part), shop_currency=shop.currency, deciding=_deciding(route.part), latest=latest
            )
            for route in self._routes
        }
        self._anything_wrong = {target: _anything_wrong(fields) for target, fields in self._fields.items()}

    def parse(self, block: Block, wanted: WantedOfBlock | None) -> ParsedBlock:
        """The rows of the wanted lines (None: of all lines) and what is wrong with the others."""
        whole, mended = nodes.mend_escapes(block)
        text = nodes.lines_of(whole)
        who = nodes.identities(text)
        hashes = line_hashes(block, who, holds_parent(self._resource, who), self._seed)
        who = who.hstack([pl.Series("line_number", whole.numbers), pl.Series("fingerprint", hashes)])
        taken, wanted_here, decoded = np.zeros((3, len(whole)), bool)
        objects = nodes.look_like_objects(text)
        lines = _Lines(whole, text, objects, who, taken, wanted_here, decoded, ParsedBlock(mended=mended))
        for route, mask in zip(self._routes, takers(self._routes, who), strict=True):
            if mask.any():
                self._take(route, lines, mask, wanted)
        self._reject_untaken(lines)
        staged = lines.wanted & ~_at(lines.bad, len(block))
        lines.parsed.staged.update(dict(who["node"].filter(pl.Series(staged)).value_counts().iter_rows()))
        lines.parsed.bad = list(lines.bad.values())
        return lines.parsed

    def _take(self, route: Route, lines: _Lines, mask: NDArray[np.bool_], wanted: WantedOfBlock | None) -> None:
        lines.taken |= mask
        if wanted is not None:
            mask = mask & np.isin(lines.block.numbers, wanted.by_table[route.owner.table])
        mask = mask & ~_at(lines.bad, len(lines.block))
        lines.wanted |= mask
        lines.parsed.took[route.target] += int(mask.sum())
        if not mask.any():
            return
        if route.owned_name:
            lines.parsed.routes.add(route.owned_name)
        if isinstance(route.part, Entity):
            self._take_entity(route.part, lines, np.flatnonzero(mask))
        elif isinstance(route.part, Children):
            self._take_children(route, route.part, lines, np.flatnonzero(mask))
        else:
            self._take_links(route.owner, route.part, lines, np.flatnonzero(mask))

    def _take_entity(self, entity: Entity, lines: _Lines, at: NDArray[np.int64]) -> None:
        frame = self._decoded(lines, at, self._schemas[entity.table])
        self._sample(entity, lines, frame)
        fields = self._fields[entity.table]
        frame = frame.select(*_WHO, *(field_.raw for field_ in fields), pl.lit(None, pl.String).alias(_ABSENT))
        frame = self._checked(entity.table, frame, lines, entity)
        lines.parsed.cut += cut_lines(entity.columns, frame)
        if frame[_ABSENT].null_count() < len(frame):
            lines.parsed.partial.add(entity.table)
        parent = [pl.col("parent_gid").alias(entity.parent.gid_column)] if entity.parent else []
        status = pl.when(pl.col(_ABSENT).is_null()).then(pl.lit("valid")).otherwise(pl.lit("incomplete"))
        rows = frame.select(*self._keys(status), JSONB + pl.col(_ABSENT), *(field_.value for field_ in fields), *parent)
        lines.parsed.values.append((entity, filled((field_.column for field_ in fields), rows)))
        lines.copy(entity.staging, rows, seen_entity(entity, rows))

    def _take_children(self, route: Route, part: Children, lines: _Lines, at: NDArray[np.int64]) -> None:
        fields = self._fields[route.target]
        frame = self._decoded(lines, at, self._schemas[route.target])
        key = pl.concat_str([field_at(path) for path in part.key_paths], separator=".")
        frame = frame.select(*_WHO, key.alias(_KEY), *(field_.raw for field_ in fields))
        self._reject_at(
            lines,
            frame.filter(pl.col(_KEY).is_null())["at"].to_list(),
            "missing_required",
            f"{' or '.join(part.key_paths)} is missing or null",
        )
        frame = self._checked(route.target, frame.filter(pl.col(_KEY).is_not_null()), lines)
        value = pl.struct(json_member(field_.column).alias(field_.column.name) for field_ in fields)
        rows = frame.select(
            *self._keys(),
            parent_table=pl.lit(route.owner.table),
            parent_gid="parent_gid",
            field=pl.lit(part.field),
            key=_KEY,
            value=JSONB + value.struct.json_encode(),
        )
        lines.copy(CHILDREN_STAGING, rows, seen_children(route.owner, part, rows))

    def _take_links(self, owner: Entity, part: Link, lines: _Lines, at: NDArray[np.int64]) -> None:
        # Most were decoded as entities already; the others are decoded only to find those that cannot be.
        self._decoded(lines, at[~lines.decoded[at]], _ONLY_ID)
        frame = lines.who[at[~_at(lines.bad, len(lines.block))[at]]]
        rows = frame.with_columns(fingerprint=pl.Series(gid_hashes(frame["gid"]), dtype=pl.Int64)).select(
            *self._keys(), link_table=pl.lit(part.table), parent_gid="parent_gid", child_gid="gid"
        )
        lines.copy(LINKS_STAGING, rows, seen_links(owner, part, rows))

    def _decoded(self, lines: _Lines, at: NDArray[np.int64], schema: pl.DataType) -> pl.DataFrame:
        """The lines at these indexes with their fields under `DECODED`; lines that cannot be decoded are rejected."""
        lines.decoded[at] = True
        text, frame = lines.text[at], lines.who[at]
        decoded, failed = nodes.decode(text, lines.objects[at], schema, frame["gid"])
        for i in failed.tolist():
            code, message = nodes.why_undecodable(text[i])
            self._reject_at(lines, [int(at[i])], code, message)
        frame = frame.hstack([decoded.alias(DECODED), pl.Series("at", at)])
        return frame.filter(~pl.Series(_at(dict.fromkeys(failed.tolist()), len(at)))) if len(failed) else frame

    def _sample(self, entity: Entity, lines: _Lines, frame: pl.DataFrame) -> None:
        lacking = first_without(entity, frame.select("at", "node", DECODED, line=lines.text[frame["at"]]))
        for node in entity.node_types:
            found, wanted = frame["at"].filter(frame["node"] == node), self._wants(node)
            if len(found):
                at = pl.concat([found[:wanted], found[wanted:].tail(1), pl.Series(lacking[node], dtype=found.dtype)])
                lines.parsed.samples.append((entity, node, lines.text[at.unique()].to_list()))

    def _keys(self, status: pl.Expr = _VALID) -> tuple[pl.Expr, ...]:
        return (
            pl.lit(self._load.run_id.bytes).alias("bulk_run_id"),
            pl.lit(self._load.shop_id.bytes).alias("shop_id"),
            pl.col("line_number"),
            pl.col("fingerprint"),
            status.alias("validation_status"),
        )

    def _checked(self, target: str, frame: pl.DataFrame, lines: _Lines, entity: Entity | None = None) -> pl.DataFrame:
        """The rows that pass every check; the others are rejected. An entity's row may lack what its line lacks."""
        fields = self._fields[target]
        checks = _checks(fields)
        if not checks or not any(frame.select(self._anything_wrong[target]).row(0)):
            return frame
        wrong = frame.select(check.wrong.fill_null(value=False).alias(str(i)) for i, check in enumerate(checks))
        failed = _failed(frame, wrong)
        if failed and entity is not None:
            frame, wrong = _excused(entity, checks, frame, wrong, lines)
            failed = _failed(frame, wrong)
        if not failed:
            return frame
        self._explain(fields, frame, wrong, lines)
        return frame.filter(~pl.col("at").is_in(failed))

    def _explain(self, fields: tuple[Field, ...], frame: pl.DataFrame, wrong: pl.DataFrame, lines: _Lines) -> None:
        """Reject the rows that failed a check, each with everything that is wrong with it."""
        checks = _checks(fields)
        reasons: dict[int, list[str]] = {}
        codes: dict[int, str] = {}
        for i, check in enumerate(checks):
            # Without the value: reasons are shown in logs, and it may be somebody's address. The payload has the line.
            for at in frame.filter(wrong[str(i)])["at"].to_list():
                reasons.setdefault(at, []).append(f"{check.column} {check.message}")
                codes.setdefault(at, check.code)
        for at, found in reasons.items():
            self._reject_at(lines, [at], codes[at], "; ".join(found) + ".")

    def _reject_at(self, lines: _Lines, at: list[int], code: str, message: str) -> None:
        for i in at:
            node = lines.who["node"][i] or "?"
            text = lines.text[i]
            lines.bad[i] = BadLine(int(lines.block.numbers[i]), code, message, text, node)

    def _reject_untaken(self, lines: _Lines) -> None:
        at = np.flatnonzero(~lines.taken)
        if not len(at):
            return
        # First whether they are JSON at all: of a torn line nobody knows what stood in the part that is lost.
        text = lines.text[at]
        _, failed = nodes.decode(text, lines.objects[at], _ONLY_ID)
        unreadable = _at(dict.fromkeys(failed.tolist()), len(at))
        who = lines.who[at].select("node", "gid", "parent_node").iter_rows()
        for i, (node, gid, parent), line, wrong in zip(at.tolist(), who, text, unreadable, strict=True):
            self._reject_at(lines, [i], *self._why_untaken(node if gid else None, parent, line, unreadable=wrong))

    def _why_untaken(self, node: str | None, parent: str | None, text: str, *, unreadable: bool) -> tuple[str, str]:
        if unreadable:
            code, message = nodes.why_undecodable(text)
            if node is None or code == "malformed_json":
                return code, message
        if node is None:
            return "unreadable_identity", "The line has no `id` that is a Shopify GID, so nobody knows what it is."
        if node not in self._resource.node_types:
            return "unknown_node_type", f"{node} is no node of the resource {self._resource.name}."
        if parent is None:
            return "orphan", f"{node} stands under another node, but its line has no `__parentId`."
        return "unexpected_parent", f"{node} cannot stand under {parent} in the resource {self._resource.name}."


def _columns(part: Entity | Children | Link) -> tuple[Column, ...]:
    if isinstance(part, Entity):
        return part.columns
    return part.members if isinstance(part, Children) else ()


def _deciding(part: Entity | Children | Link) -> tuple[str, ...]:
    """The columns that decide which of two rows is the newer one."""
    return (part.version or TOLD_AT, TOLD_AT) if isinstance(part, Entity) else ()


def _schema(part: Entity | Children | Link) -> pl.DataType:
    # A link's line is decoded only to find those that cannot be.
    keys = part.key_paths if isinstance(part, Children) else ()
    return schema_of(_columns(part), also=dict.fromkeys(("id", *keys)))


def _checks(fields: tuple[Field, ...]) -> list[Check]:
    return [check for field_ in fields for check in field_.checks]


def _anything_wrong(fields: tuple[Field, ...]) -> list[pl.Expr]:
    """Whether any row fails a check, for each: all that most blocks are asked."""
    return [check.wrong.any().alias(str(i)) for i, check in enumerate(_checks(fields))]


def _failed(frame: pl.DataFrame, wrong: pl.DataFrame) -> list[int]:
    return frame.select("at").filter(wrong.select(pl.any_horizontal(pl.all())).to_series())["at"].to_list()


def _excused(
    entity: Entity, checks: list[Check], frame: pl.DataFrame, wrong: pl.DataFrame, lines: _Lines
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines that do not carry a required field at all are not wrong in that: whether the mirror has it is seen later.

    Null is how a missing field looks when it is decoded, so the lines are looked at once more, but only these.
    """
    required = {str(i): check.column for i, check in enumerate(checks) if check.code == "missing_required"}
    lacking = frame["at"].filter(wrong.select(pl.any_horizontal(list(required))).to_series()).to_list()
    absent = {at: names for at in lacking if (names := absent_columns(entity, lines.text[at]))}
    if not absent:
        return frame, wrong
    for i, column in required.items():
        excused = [at for at, names in absent.items() if column in names]
        wrong = wrong.with_columns(wrong[i] & ~frame["at"].is_in(excused))
    told = {at: json.dumps(names) for at, names in absent.items()}
    return frame.with_columns(pl.col("at").replace_strict(told, default=None).alias(_ABSENT)), wrong


def _at(indexes: dict[int, BadLine] | dict[int, None], size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=bool)
    mask[list(indexes)] = True
    return mask
