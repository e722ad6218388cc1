"""Staging: the wanted lines of an artifact, copied into the staging tables, and the counts of what became of all.

Belongs here: the second pass over an artifact and its sums. Every line ends as staged, unchanged, ignored or rejected
with a reason. Does not belong here: which lines are wanted (`changes`), one block's rows (`parsing`), and what is wrong
only beside other rows (`verdicts`).
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np
import polars as pl

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.database.copy import TableCopy, table_copies
from neanelu_pipelines.database.wire import JSONB, binary_rows
from neanelu_pipelines.mirror.changes import Wanted, WantedOfBlock
from neanelu_pipelines.mirror.declarations import CHILDREN_STAGING, LINKS_STAGING, Resource
from neanelu_pipelines.mirror.identities import Identities
from neanelu_pipelines.mirror.ledger import Shop
from neanelu_pipelines.mirror.parsing import BlockParser, ParsedBlock
from neanelu_pipelines.mirror.reports import LineCounts, LoadRun, StageReport
from neanelu_pipelines.mirror.selection import Selection
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify import nodes
from neanelu_pipelines.shopify.jsonl import BadLine, Block, excerpt, is_local, joined, read_blocks
from neanelu_pipelines.threads import side_by_side

ERRORS = "bulk_errors"
_ERROR_COLUMNS = (
    "bulk_run_id", "shop_id", "error_type", "error_code", "error_message", "line_number", "payload"
)  # fmt: skip
_ROW_COLUMNS = ("bulk_run_id", "shop_id", "line_number", "fingerprint", "validation_status")
_CHILD_COLUMNS = (*_ROW_COLUMNS, "parent_table", "parent_gid", "field", "key", "value")
_LINK_COLUMNS = (*_ROW_COLUMNS, "link_table", "parent_gid", "child_gid")
_PICKED_LINES = 5000
_PICKED_BYTES = 8 * 1024 * 1024
_MAX_PAYLOAD_BYTES = 64_000
_PARSE_CODES = frozenset({"invalid_utf8", "line_too_long", "malformed_json", "not_an_object", "unreadable_identity"})


def staging_columns(resource: Resource) -> dict[str, tuple[str, ...]]:
    """The columns that a load fills, by staging table, in the order in which they are copied."""
    tables: dict[str, tuple[str, ...]] = {ERRORS: _ERROR_COLUMNS}
    for entity in resource.entities:
        parent = (entity.parent.gid_column,) if entity.parent else ()
        own = tuple(column.name for column in entity.columns)
        tables[entity.staging] = (*_ROW_COLUMNS, "validation_errors", *own, *parent)
    tables[CHILDREN_STAGING] = _CHILD_COLUMNS
    tables[LINKS_STAGING] = _LINK_COLUMNS
    return tables


def _analyzed_columns(resource: Resource) -> dict[str, tuple[str, ...]]:
    """By staging table, what its rows are filtered and joined by: without statistics a plan takes them for one row."""
    filters = ("bulk_run_id", "shop_id", "validation_status")
    tables: dict[str, tuple[str, ...]] = {}
    for entity in resource.entities:
        parent = (entity.parent.gid_column,) if entity.parent else ()
        tables[entity.staging] = (*filters, "shopify_gid", *parent)
    tables[CHILDREN_STAGING] = (*filters, "parent_table", "parent_gid", "field")
    tables[LINKS_STAGING] = (*filters, "link_table", "parent_gid", "child_gid")
    return tables


class Stager:
    """One pass over one artifact. Use `stage_artifact`."""

    def __init__(self, resource: Resource, load: LoadRun, copies: dict[str, TableCopy], wanted: Wanted | None) -> None:
        self._resource = resource
        self._load = load
        self._copies = copies
        self._wanted = wanted
        self.selection = Selection()
        self._identities = Identities()
        self.identities_agree = False
        self.nodes: dict[str, LineCounts] = {}
        self.notes: list[str] = []
        self.mended_lines = 0
        self.cut_lines = 0
        self.lines_read = 0
        self.torn = False
        self._last_bad = 0
        self.skipped: Counter[str] = Counter()
        """Lines that the first pass found unchanged, by the mirror table whose rows they make."""
        self._took: Counter[str] = Counter()

    def to_parse(self, blocks: Iterable[Block]) -> Iterator[tuple[Block, WantedOfBlock | None]]:
        """The blocks with what is wanted of each; what is wrong with their bytes is counted on the way."""
        picked: list[tuple[Block, WantedOfBlock]] = []
        for block in blocks:
            self._note(block)
            wanted = self._wanted.up_to(int(block.numbers[-1])) if self._wanted and len(block) else None
            if wanted is None:
                if len(block):
                    yield block, None
                continue
            # A frame of three lines costs nearly as much as one of thousands: they wait until they are enough. Copied
            # out of their block, which would stay in memory as long as they do.
            picked.append((joined([block.keep(np.isin(block.numbers, wanted.numbers))]), wanted))
            if _is_enough(picked):
                yield _together(picked)
                picked = []
        if any(len(kept) for kept, _ in picked):
            yield _together(picked)

    def _note(self, block: Block) -> None:
        self.notes += block.notes
        self.torn |= block.torn
        self.lines_read = block.through
        if block.empty_lines:
            self.nodes.setdefault("(empty line)", LineCounts()).ignored += block.empty_lines
        self._reject(block.bad)

    @property
    def cut_off(self) -> bool:
        """Whether the last line has no line end and is not whole without it."""
        return self.torn and self._last_bad == self.lines_read

    def add(self, parsed: ParsedBlock) -> None:
        """Copy and count what became of one block."""
        for table, data, rows in parsed.rows:
            self._copies[table].write(data, rows)
        self._identities.add(parsed.seen)
        for entity, node, lines in parsed.samples:
            self.selection.sample(self._resource, entity, node, lines)
        for entity, columns in parsed.values:
            self.selection.saw_values(entity, columns)
        self.selection.routes |= parsed.routes
        self.selection.partial |= parsed.partial
        self.mended_lines += parsed.mended
        self.cut_lines += parsed.cut
        self._took += parsed.took
        for node, count in parsed.staged.items():
            self.nodes.setdefault(node, LineCounts()).staged += count
        self._reject(parsed.bad)
        if self._wanted:
            # The first pass counted them as what they look like.
            self._wanted.survey.nodes.subtract(line.node for line in parsed.bad)

    def _reject(self, bad: list[BadLine]) -> None:
        if not bad:
            return
        self._last_bad = max(self._last_bad, *(line.number for line in bad))
        for line in bad:
            self.nodes.setdefault(line.node, LineCounts()).rejected += 1
        rows = pl.DataFrame(
            {
                "bulk_run_id": [self._load.run_id.bytes] * len(bad),
                "shop_id": [self._load.shop_id.bytes] * len(bad),
                "error_type": ["PARSE" if line.code in _PARSE_CODES else "VALIDATION" for line in bad],
                "error_code": [line.code for line in bad],
                "error_message": [line.message for line in bad],
                "line_number": [line.number for line in bad],
                "payload": [JSONB + _payload(line) for line in bad],
            },
            schema_overrides={"line_number": pl.Int32},
        )
        self._copies[ERRORS].write(binary_rows(rows), len(rows))

    def finish(self) -> None:
        """Count as unchanged what the first pass saw and this one had no need to look at; decide what only all show."""
        self.selection.settle()
        self.identities_agree = self._identities.agree()  # While PostgreSQL takes the last rows.
        if self._wanted:
            self.lines_read = self._wanted.survey.lines
            self.skipped = self._wanted.survey.rows - self._took
            # A variant that lost its only metafield is wanted; the lines that show that the file has any may not be.
            self.selection.routes |= self._wanted.survey.owned
            for node, seen in self._wanted.survey.nodes.items():
                counts = self.nodes.setdefault(node, LineCounts())
                counts.unchanged = seen - counts.staged


def _is_enough(picked: list[tuple[Block, WantedOfBlock]]) -> bool:
    return (
        sum(len(kept) for kept, _ in picked) >= _PICKED_LINES
        or sum(len(kept.data) for kept, _ in picked) >= _PICKED_BYTES
    )


def _together(picked: list[tuple[Block, WantedOfBlock]]) -> tuple[Block, WantedOfBlock]:
    blocks, wanted = zip(*picked, strict=True)
    return joined(blocks), WantedOfBlock.joined(wanted)


def _payload(line: BadLine) -> str:
    """The rejected line as JSON if it is JSON and of a size to look at, else its beginning as text."""
    text = nodes.mend_text(line.text).strip()
    if len(text) <= _MAX_PAYLOAD_BYTES:
        try:
            nodes.parsed(text)
        except (ValueError, RecursionError):
            pass
        else:
            return text
    return json.dumps({"text": excerpt(text.encode())}, ensure_ascii=False)


def _blocks_to_look_at(load: LoadRun, settings: Settings, wanted: Wanted | None) -> Iterator[Block]:
    """The whole artifact; or only the stretches with wanted lines, where the first pass knows where they stand."""
    url, max_line_bytes = load.artifact_path, settings.max_line_bytes
    # In a compressed file positions mean nothing, and far away each stretch would be a request.
    index = wanted.survey.index if wanted and not wanted.survey.damaged and is_local(url) else None
    if wanted is None or index is None or index.bytes != load.bytes:
        yield from read_blocks(url, block_bytes=settings.block_bytes, max_line_bytes=max_line_bytes)
        return
    while len(numbers := wanted.next_numbers(_PICKED_LINES)):
        yield from index.blocks_with(url, numbers, max_line_bytes=max_line_bytes)


def stage_artifact(
    database: Database,
    settings: Settings,
    resource: Resource,
    shop: Shop,
    load: LoadRun,
    wanted: Wanted | None,
    as_of: datetime,
) -> tuple[StageReport, Stager]:
    """Copy the wanted lines of the artifact, which shows the shop at `as_of`, into the staging tables."""
    tables, analyzed = staging_columns(resource), _analyzed_columns(resource)
    with table_copies(database, tables, analyzed, sure=wanted is None) as copies:
        stager = Stager(resource, load, copies, wanted)
        if wanted is None or not wanted.nothing:
            parser = BlockParser(resource, shop, load, stager.selection.wants, as_of)
            blocks = _blocks_to_look_at(load, settings, wanted)
            for parsed in side_by_side(parser.parse, stager.to_parse(blocks)):
                stager.add(parsed)
        stager.finish()
    notes = list(dict.fromkeys(stager.notes))
    if stager.mended_lines:
        notes.append(
            f"In {stager.mended_lines:,} lines NUL characters were removed or half surrogate pairs replaced, "
            "because PostgreSQL takes neither in text."
        )
    if stager.cut_lines:
        notes.append(
            f"In {stager.cut_lines:,} lines the description without HTML was longer than its column and was cut; "
            "description_html is kept whole."
        )
    if stager.selection.unknown_fields:
        notes.append(f"Fields without a column were left out: {', '.join(sorted(stager.selection.unknown_fields))}.")
    if stager.selection.mixed:
        notes.append(
            f"Some lines carry {', '.join(sorted(set().union(*stager.selection.mixed.values())))} and others do not: "
            "results of different queries stand in one file. The mirror keeps what it has there, and new rows have "
            "nothing there; load each result by itself."
        )
    report = StageReport(bytes=load.bytes, seconds=0.0, nodes=stager.nodes, notes=notes)
    report.lines, report.skipped = stager.lines_read, dict(stager.skipped)
    report.cut_off = stager.cut_off
    report.tables = {table: copy.rows for table, copy in copies.items() if table != ERRORS}
    return report, stager
