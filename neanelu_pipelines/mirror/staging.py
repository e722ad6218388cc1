"""Staging: the wanted lines of an artifact, parsed, checked one by one and copied into the staging tables.

Belongs here: the second pass over an artifact and its counts. Every line ends as staged, unchanged, ignored or
rejected with a reason. Does not belong here: which lines are wanted (`changes`), how a value is read (`columns`), and
what is wrong only beside other rows (`verdicts`).
"""

import json
import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.copy import CsvCopy, csv_bytes, csv_copies
from neanelu_pipelines.mirror.changes import Wanted, WantedOfBlock
from neanelu_pipelines.mirror.columns import Check, Field, fields_of, schema_of
from neanelu_pipelines.mirror.declarations import CHILDREN_STAGING, LINKS_STAGING, Children, Entity, Link, Resource
from neanelu_pipelines.mirror.ledger import Shop
from neanelu_pipelines.mirror.reports import LineCounts, LoadRun, StageReport
from neanelu_pipelines.mirror.routes import Route, gid_hashes, hash_seed, line_hashes, names_parent, routes_of
from neanelu_pipelines.mirror.selection import SAMPLE_LINES, Selection
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import nodes
from neanelu_pipelines.shopify.jsonl import BadLine, Block, excerpt, joined, read_blocks

ERRORS = "bulk_errors"
_ERROR_COLUMNS = (
    "bulk_run_id", "shop_id", "error_type", "error_code", "error_message", "line_number", "payload"
)  # fmt: skip
_ROW_COLUMNS = ("bulk_run_id", "shop_id", "line_number", "fingerprint", "validation_status")
_CHILD_COLUMNS = (*_ROW_COLUMNS, "parent_table", "parent_gid", "field", "key", "value")
_LINK_COLUMNS = (*_ROW_COLUMNS, "link_table", "parent_gid", "child_gid")
_PICKED_LINES = 5000
_MAX_PAYLOAD_BYTES = 64_000
_PARSE_CODES = frozenset({"invalid_utf8", "line_too_long", "malformed_json", "not_an_object", "unreadable_identity"})


def staging_columns(resource: Resource) -> dict[str, tuple[str, ...]]:
    """The columns that a load fills, by staging table, in the order in which they are copied."""
    tables: dict[str, tuple[str, ...]] = {ERRORS: _ERROR_COLUMNS}
    for entity in resource.entities:
        parent = (entity.parent.gid_column,) if entity.parent else ()
        own = tuple(column.name for column in entity.columns)
        tables[entity.staging] = (*_ROW_COLUMNS, *own, *parent)
    tables[CHILDREN_STAGING] = _CHILD_COLUMNS
    tables[LINKS_STAGING] = _LINK_COLUMNS
    return tables


@dataclass
class _Lines:
    """The parsable lines of a block, with who they are."""

    block: Block
    text: pl.Series
    who: pl.DataFrame
    taken: NDArray[np.bool_]
    """Lines that some route leads somewhere."""
    wanted: NDArray[np.bool_]
    """Lines that some route wants staged."""
    bad: dict[int, BadLine] = field(default_factory=dict)
    """Rejected lines, by index."""


class Stager:
    """One pass over one artifact. Use `stage_artifact`."""

    def __init__(
        self, resource: Resource, shop: Shop, load: LoadRun, copies: dict[str, CsvCopy], wanted: Wanted | None
    ) -> None:
        self._resource = resource
        self._load = load
        self._copies = copies
        self._wanted = wanted
        self._seed = hash_seed(resource, shop.currency)
        self._routes = routes_of(resource)
        self._schemas = {entity.table: schema_of(entity) for entity in resource.entities}
        self._fields = {entity.table: fields_of(entity, shop_currency=shop.currency) for entity in resource.entities}
        self.selection = Selection()
        self.nodes: dict[str, LineCounts] = {}
        self.notes: list[str] = []
        self.mended_lines = 0
        self.lines_read = 0
        self.torn = False
        self.skipped: Counter[str] = Counter()
        """Lines that the first pass found unchanged, by the mirror table whose rows they make."""
        self._took: Counter[str] = Counter()
        self._picked: list[tuple[Block, WantedOfBlock]] = []

    def add(self, block: Block) -> None:
        """Stage one block."""
        self.notes += block.notes
        self.torn |= block.torn
        self.lines_read = block.through
        self._count_ignored(block.empty_lines)
        self._reject(block.bad)
        if not len(block):
            return
        wanted = self._wanted.up_to(int(block.numbers[-1])) if self._wanted else None
        if wanted is None:
            self._add_lines(block, None)
        else:
            self._add_picked(block.keep(np.isin(block.numbers, wanted.numbers)), wanted)

    def _add_picked(self, block: Block, wanted: WantedOfBlock) -> None:
        """Wait until there are enough lines: a frame of three lines costs nearly as much as one of thousands."""
        if len(block):
            self._picked.append((block, wanted))
        if sum(len(waiting) for waiting, _ in self._picked) >= _PICKED_LINES:
            self._add_waiting()

    def _add_waiting(self) -> None:
        if self._picked:
            blocks, wanted = zip(*self._picked, strict=True)
            self._picked = []
            self._add_lines(joined(blocks), WantedOfBlock.joined(wanted))

    def _add_lines(self, block: Block, wanted: WantedOfBlock | None) -> None:
        whole, mended = nodes.mend_escapes(block)
        self.mended_lines += mended
        text = nodes.lines_of(whole)
        who = nodes.identities(text)
        hashes = line_hashes(block, names_parent(self._resource, who), self._seed)
        who = who.with_columns(line_number=pl.Series(whole.numbers), fingerprint=pl.Series(hashes))
        lines = _Lines(whole, text, who, np.zeros(len(whole), bool), np.zeros(len(whole), bool))
        for route in self._routes:
            self._take(route, lines, wanted)
        self._reject_untaken(lines)
        self._reject(list(lines.bad.values()))
        self._count(lines)

    def _take(self, route: Route, lines: _Lines, wanted: WantedOfBlock | None) -> None:
        mask = route.mask(lines.who).to_numpy()
        lines.taken |= mask
        if wanted is not None:
            mask = mask & np.isin(lines.block.numbers, wanted.by_table[route.owner.table])
        mask = mask & ~_at(lines.bad, len(lines.block))
        lines.wanted |= mask
        self._took[route.target] += int(mask.sum())
        if not mask.any():
            return
        if route.owned_name:
            self.selection.routes.add(route.owned_name)
        if isinstance(route.part, Entity):
            self._take_entity(route.part, lines, np.flatnonzero(mask))
        elif isinstance(route.part, Children):
            self._take_children(route.owner, route.part, lines, np.flatnonzero(mask))
        else:
            self._take_links(route.part, lines, np.flatnonzero(mask))

    def _take_entity(self, entity: Entity, lines: _Lines, at: NDArray[np.int64]) -> None:
        frame = self._decoded(lines, at, self._schemas[entity.table])
        self._sample(entity, lines, frame)
        fields = self._fields[entity.table]
        frame = frame.select("at", "line_number", "fingerprint", "parent_gid", *(field_.raw for field_ in fields))
        wrong = frame.select(
            check.wrong.fill_null(value=False).alias(str(i)) for i, check in enumerate(_checks(fields))
        )
        failed = frame.select("at").filter(wrong.select(pl.any_horizontal(pl.all())).to_series())["at"].to_list()
        if failed:
            self._explain(fields, frame, wrong, lines)
            frame = frame.filter(~pl.col("at").is_in(failed))
        parent = [pl.col("parent_gid").alias(entity.parent.gid_column)] if entity.parent else []
        rows = frame.select(*self._keys(), *(field_.value for field_ in fields), *parent)
        filled = [field_.column.name for field_ in fields if rows[field_.column.name].null_count() < len(rows)]
        self.selection.saw_values(entity, filled)
        self._copy(entity.staging, rows)

    def _take_children(self, owner: Entity, part: Children, lines: _Lines, at: NDArray[np.int64]) -> None:
        names = {"id", *part.key_paths, *part.members.values()}
        frame = self._decoded(lines, at, nodes.polars_type(nodes.schema_tree((name, "text") for name in sorted(names))))
        key = [pl.col("node").struct.field(name) for name in part.key_paths]
        frame = frame.with_columns(key=pl.concat_str(key, separator="."))
        self._reject_at(
            lines,
            frame.filter(pl.col("key").is_null())["at"].to_list(),
            "missing_required",
            f"{' or '.join(part.key_paths)} is missing or null",
        )
        value = pl.struct(pl.col("node").struct.field(path).alias(name) for name, path in part.members.items())
        rows = frame.filter(pl.col("key").is_not_null()).select(
            *self._keys(),
            parent_table=pl.lit(owner.table),
            parent_gid="parent_gid",
            field=pl.lit(part.field),
            key="key",
            value=value.struct.json_encode(),
        )
        self._copy(CHILDREN_STAGING, rows)

    def _take_links(self, part: Link, lines: _Lines, at: NDArray[np.int64]) -> None:
        frame = self._decoded(lines, at, pl.Struct({"id": pl.String()}))
        rows = frame.with_columns(fingerprint=pl.Series(gid_hashes(frame["gid"]), dtype=pl.Int64)).select(
            *self._keys(), link_table=pl.lit(part.table), parent_gid="parent_gid", child_gid="gid"
        )
        self._copy(LINKS_STAGING, rows)

    def _decoded(self, lines: _Lines, at: NDArray[np.int64], schema: pl.DataType) -> pl.DataFrame:
        """The lines at these indexes with their fields decoded as `node`; lines that cannot be are rejected."""
        text = lines.text.gather(at)
        decoded, failed = nodes.decode(text, schema, lines.who["gid"].gather(at))
        for i in failed.tolist():
            code, message = nodes.why_undecodable(text[i])
            self._reject_at(lines, [int(at[i])], code, message)
        frame = lines.who[at].rename({"node": "node_type"}).with_columns(node=decoded, at=pl.Series(at))
        return frame.filter(~pl.Series(_at(dict.fromkeys(failed.tolist()), len(at)))) if len(failed) else frame

    def _sample(self, entity: Entity, lines: _Lines, frame: pl.DataFrame) -> None:
        for node in entity.node_types:
            if self.selection.wants_sample(node):
                at = frame.filter(pl.col("node_type") == node)["at"].head(SAMPLE_LINES)
                self.selection.sample(self._resource, entity, node, lines.text.gather(at).to_list())

    def _keys(self) -> tuple[pl.Expr, ...]:
        return (
            pl.lit(str(self._load.run_id)).alias("bulk_run_id"),
            pl.lit(str(self._load.shop_id)).alias("shop_id"),
            pl.col("line_number"),
            pl.col("fingerprint"),
            pl.lit("valid").alias("validation_status"),
        )

    def _explain(self, fields: tuple[Field, ...], frame: pl.DataFrame, wrong: pl.DataFrame, lines: _Lines) -> None:
        """Reject the rows that failed a check, each with everything that is wrong with it."""
        checks = _checks(fields)
        reasons: dict[int, list[str]] = {}
        codes: dict[int, str] = {}
        for i, check in enumerate(checks):
            for at, raw in frame.filter(wrong[str(i)]).select("at", check.column).iter_rows():
                shown = "" if raw is None else f" ({excerpt(str(raw).encode())[:80]!r})"
                reasons.setdefault(at, []).append(f"{check.column} {check.message}{shown}")
                codes.setdefault(at, check.code)
        for at, found in reasons.items():
            self._reject_at(lines, [at], codes[at], "; ".join(found) + ".")

    def _reject_at(self, lines: _Lines, at: list[int], code: str, message: str) -> None:
        for i in at:
            node = lines.who["node"][i] or "?"
            text = lines.text[i]
            lines.bad[i] = BadLine(int(lines.block.numbers[i]), code, message, text, node)

    def _reject_untaken(self, lines: _Lines) -> None:
        for i in np.flatnonzero(~lines.taken).tolist():
            node, parent = lines.who["node"][i], lines.who["parent_node"][i]
            known = node if lines.who["gid"][i] else None
            self._reject_at(lines, [i], *self._why_untaken(known, parent, lines.text[i]))

    def _why_untaken(self, node: str | None, parent: str | None, text: str) -> tuple[str, str]:
        if node is None:
            decoded, failed = nodes.decode(pl.Series([text]), pl.Struct({"id": pl.String()}))
            del decoded
            if len(failed):
                return nodes.why_undecodable(text)
            return "unreadable_identity", "The line has no `id` that is a Shopify GID, so nobody knows what it is."
        if node not in self._resource.node_types:
            return "unknown_node_type", f"{node} is no node of the resource {self._resource.name}."
        if parent is None:
            return "orphan", f"{node} stands under another node, but its line has no `__parentId`."
        return "unexpected_parent", f"{node} cannot stand under {parent} in the resource {self._resource.name}."

    def _reject(self, bad: list[BadLine]) -> None:
        if not bad:
            return
        for line in bad:
            self.nodes.setdefault(line.node, LineCounts()).rejected += 1
        rows = pl.DataFrame(
            {
                "bulk_run_id": [str(self._load.run_id)] * len(bad),
                "shop_id": [str(self._load.shop_id)] * len(bad),
                "error_type": ["PARSE" if line.code in _PARSE_CODES else "VALIDATION" for line in bad],
                "error_code": [line.code for line in bad],
                "error_message": [line.message for line in bad],
                "line_number": [line.number for line in bad],
                "payload": [_payload(line) for line in bad],
            }
        )
        self._copy(ERRORS, rows)

    def _copy(self, table: str, rows: pl.DataFrame) -> None:
        if len(rows):
            self._copies[table].write(csv_bytes(rows), len(rows))

    def _count_ignored(self, empty_lines: int) -> None:
        if empty_lines:
            self.nodes.setdefault("(empty line)", LineCounts()).ignored += empty_lines

    def _count(self, lines: _Lines) -> None:
        """Staged lines by node type; the rejected ones were counted as they were rejected."""
        rejected = _at(lines.bad, len(lines.block))
        for node, count in lines.who["node"].filter(pl.Series(lines.wanted & ~rejected)).value_counts().iter_rows():
            self.nodes.setdefault(node, LineCounts()).staged += count
        if self._wanted:
            for line in lines.bad.values():
                self._wanted.survey.nodes[line.node] -= 1

    def finish(self) -> None:
        """Stage what waits, and count as unchanged what the first pass saw and this one had no need to look at."""
        self._add_waiting()
        self.selection.settle()
        if self._wanted:
            self.lines_read = self._wanted.survey.lines
            self.skipped = self._wanted.survey.rows - self._took
            # A variant that lost its only metafield is wanted; the lines that show that the file has any may not be.
            self.selection.routes |= self._wanted.survey.owned
            for node, seen in self._wanted.survey.nodes.items():
                counts = self.nodes.setdefault(node, LineCounts())
                counts.unchanged = seen - counts.staged


def _checks(fields: tuple[Field, ...]) -> list[Check]:
    return [check for field_ in fields for check in field_.checks]


def _at(indexes: dict[int, BadLine] | dict[int, None], size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, dtype=bool)
    mask[list(indexes)] = True
    return mask


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _finite(number: str) -> float:
    """Python reads NaN and 1e999, which jsonb refuses."""
    value = float(number)
    if math.isinf(value):
        raise ValueError(number)
    return value


def _payload(line: BadLine) -> str:
    """The rejected line as JSON if it is JSON and of a size to look at, else its beginning as text."""
    text = nodes.mend_text(line.text).strip()
    if len(text) <= _MAX_PAYLOAD_BYTES:
        try:
            json.loads(text, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            pass
        else:
            return text
    return json.dumps({"text": excerpt(text.encode())}, ensure_ascii=False)


def stage_artifact(
    database: Database, settings: Settings, resource: Resource, shop: Shop, load: LoadRun, wanted: Wanted | None
) -> tuple[StageReport, Stager]:
    """Copy the wanted lines of the artifact into the staging tables; all of them are committed, or none."""
    with csv_copies(database, staging_columns(resource)) as copies:
        stager = Stager(resource, shop, load, copies, wanted)
        if wanted is None or not wanted.nothing:
            for block in read_blocks(
                load.artifact_path, block_bytes=settings.block_bytes, max_line_bytes=settings.max_line_bytes
            ):
                stager.add(block)
        stager.finish()
    notes = list(dict.fromkeys(stager.notes))
    if stager.mended_lines:
        notes.append(
            f"In {stager.mended_lines:,} lines NUL characters were removed or half surrogate pairs replaced, "
            "because PostgreSQL takes neither in text."
        )
    if stager.selection.unknown_fields:
        notes.append(f"Fields without a column were left out: {', '.join(sorted(stager.selection.unknown_fields))}.")
    report = StageReport(bytes=load.bytes, seconds=0.0, nodes=stager.nodes, notes=notes)
    report.lines, report.skipped = stager.lines_read, dict(stager.skipped)
    report.tables = {table: copy.rows for table, copy in copies.items() if table != ERRORS}
    return report, stager
