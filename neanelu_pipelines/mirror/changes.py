"""Which lines of an artifact can change the mirror: those of rows whose fingerprint differs from the mirror's.

Belongs here: the first pass over an artifact, that hashes every line without parsing it and lets PostgreSQL compare
the sums with the fingerprints of the rows. It saves work and decides nothing: without it every line would be staged
and the merge would come to the same rows. Does not belong here: parsing and staging.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from psycopg import Connection, sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.copy import TableCopy, integer_rows, table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.database.wire import binary_rows
from neanelu_pipelines.mirror import staging_area
from neanelu_pipelines.mirror.declarations import Entity, Link, Resource
from neanelu_pipelines.mirror.ledger import Shop
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.routes import gid_hashes, hash_seed, holds_parent, line_hashes, routes_of, takers
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.jsonl import Block, read_blocks
from neanelu_pipelines.shopify.line_index import LineIndex
from neanelu_pipelines.shopify.nodes import identities, lines_of
from neanelu_pipelines.threads import side_by_side

_LINES = staging_area.LINES
_COLUMNS = ("bulk_run_id", "shop_id", "line_number", "entity", "gid", "hash")


@dataclass
class Survey:
    """What the first pass saw besides keys and hashes."""

    nodes: Counter[str] = field(default_factory=Counter)
    """Parsable lines by node type; `?` where it could not be read."""
    odd: list[int] = field(default_factory=list)
    """Numbers of the lines that no route takes: staging has to look at them, to say what is wrong."""
    owned: set[str] = field(default_factory=set)
    """The owned parts (`table.field` or link table) of which the file holds lines, wanted or not."""
    rows: Counter[str] = field(default_factory=Counter)
    """Lines by the mirror table (or `table.field`) that they are for."""
    lines: int = 0
    """How many lines the reader numbered."""
    index: LineIndex = field(default_factory=LineIndex)
    damaged: bool = False
    """Whether the bytes themselves have something to be said about: staging reads all of them again."""

    def add(self, later: "Survey") -> None:
        """Go on with what was seen in the block after."""
        self.nodes += later.nodes
        self.rows += later.rows
        self.odd += later.odd
        self.owned |= later.owned
        self.lines = later.lines
        self.damaged |= later.damaged


class Wanted:
    """The lines to stage, by the entity whose row they make; given out block by block, in order."""

    def __init__(self, resource: Resource, survey: Survey, rows: Iterator[NDArray[np.int64]]) -> None:
        self.survey = survey
        self._tables = [entity.table for entity in resource.entities]
        self._odd = np.array(survey.odd, dtype=np.int64)
        self._rows = rows
        self._waiting = next(rows, np.empty((0, 2), dtype=np.int64))

    @property
    def nothing(self) -> bool:
        """Whether no line of the artifact needs a second look."""
        return not (len(self._waiting) or len(self._odd) or self.survey.damaged)

    def next_numbers(self, lines: int) -> NDArray[np.int64]:
        """The numbers of about the next `lines` wanted lines, ascending; none when all were given out."""
        while len(self._waiting) < lines and (more := next(self._rows, None)) is not None:
            self._waiting = np.concatenate((self._waiting, more))
        numbers = self._waiting[:lines, 0]
        odd = self._odd[self._odd <= numbers[-1]] if len(numbers) else self._odd[:lines]
        return np.union1d(numbers, odd)

    def up_to(self, line_number: int) -> "WantedOfBlock":
        """The wanted line numbers up to and including this one that were not given out yet."""
        while not len(self._waiting) or self._waiting[-1, 0] <= line_number:
            more = next(self._rows, None)
            if more is None:
                break
            self._waiting = np.concatenate((self._waiting, more))
        cut = int(np.searchsorted(self._waiting[:, 0], line_number, side="right"))
        now, self._waiting = self._waiting[:cut], self._waiting[cut:]
        odd = int(np.searchsorted(self._odd, line_number, side="right"))
        strange, self._odd = self._odd[:odd], self._odd[odd:]
        by_table = {table: now[now[:, 1] == ordinal, 0] for ordinal, table in enumerate(self._tables)}
        return WantedOfBlock(by_table, np.concatenate((now[:, 0], strange)))


@dataclass(frozen=True)
class WantedOfBlock:
    """The wanted lines of one block: by mirror table, and all that staging should look at."""

    by_table: dict[str, NDArray[np.int64]]
    numbers: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: "Sequence[WantedOfBlock]") -> "WantedOfBlock":
        """The wanted lines of several blocks."""
        tables = parts[0].by_table
        return cls(
            {table: np.concatenate([part.by_table[table] for part in parts]) for table in tables},
            np.concatenate([part.numbers for part in parts]),
        )


@contextmanager
def wanted_lines(
    database: Database, settings: Settings, resource: Resource, shop: Shop, load: LoadRun
) -> Iterator[Wanted | None]:
    """The lines of the artifact that can change something; None means every line, where the mirror is empty."""
    with database.connect(Role.PIPELINE) as connection:
        if all(_is_empty(connection, entity, load) for entity in resource.entities):
            yield None
            return
        survey = _fingerprint_lines(database, settings, resource, shop, load)
        staging_area.plan_for(connection, survey.nodes.total())
        parameters = {"run_id": load.run_id, "shop_id": load.shop_id}
        # Closed before the connection is: a COPY that nobody reads to its end holds the connection for ever.
        with closing(integer_rows(connection, _changed(resource), parameters)) as rows:
            yield Wanted(resource, survey, rows)


def _is_empty(connection: Connection, entity: Entity, load: LoadRun) -> bool:
    query = statement("mirror/has_rows").format(table=table_identifier(entity.table))
    return connection.execute(query, {"shop_id": load.shop_id}).fetchone() == (False,)


def _changed(resource: Resource) -> sql.Composed:
    parts = []
    for ordinal, entity in enumerate(resource.entities):
        in_order = [sql.Literal(link.table) for link in entity.links if link.elsewhere]
        query = statement("mirror/changed_lines_in_order" if in_order else "mirror/changed_lines")
        parts.append(
            query.format(
                ordinal=sql.Literal(ordinal),
                entity=sql.Literal(entity.table),
                table=table_identifier(entity.table),
                fingerprint_column=sql.Identifier(entity.fingerprint),
                links=sql.SQL(", ").join(in_order),
            )
        )
    return statement("mirror/in_line_order").format(parts=sql.SQL(" UNION ALL ").join(parts))


def _fingerprint_lines(database: Database, settings: Settings, resource: Resource, shop: Shop, load: LoadRun) -> Survey:
    """Write the keys and hashes of all lines for PostgreSQL to compare."""
    survey = Survey()
    seed = hash_seed(resource, shop.currency)

    def look(block: Block) -> tuple[bytes, int, Survey]:
        seen = Survey(lines=block.through, damaged=bool(block.bad or block.empty_lines or block.notes))
        rows = _line_keys(resource, load, block, seen, seed)
        return binary_rows(rows), len(rows), seen

    blocks = read_blocks(load.artifact_path, block_bytes=settings.block_bytes, max_line_bytes=settings.max_line_bytes)
    with TableCopy(database, _LINES, _COLUMNS) as copy:
        for data, rows, seen in side_by_side(look, _indexed(blocks, survey.index)):
            survey.add(seen)
            if rows:
                copy.write(data, rows)
    return survey


def _indexed(blocks: Iterator[Block], index: LineIndex) -> Iterator[tuple[Block]]:
    for block in blocks:
        index.add(block)
        yield (block,)


def _line_keys(resource: Resource, load: LoadRun, block: Block, survey: Survey, seed: int) -> pl.DataFrame:
    who = identities(lines_of(block))
    hashes = line_hashes(block, who, holds_parent(resource, who), seed)
    who = who.hstack([pl.Series("line_number", block.numbers), pl.Series("hash", hashes)])
    for node, count in who["node"].fill_null("?").value_counts().iter_rows():
        survey.nodes[node] += count
    parts = []
    taken = np.zeros(len(who), dtype=bool)
    routes = routes_of(resource)
    for route, mask in zip(routes, takers(routes, who), strict=True):
        if not mask.any():
            continue
        taken |= mask
        lines = who.filter(mask)
        survey.rows[route.target] += len(lines)
        if route.owned_name:
            survey.owned.add(route.owned_name)
        if isinstance(route.part, Link):
            lines = lines.with_columns(hash=pl.Series(gid_hashes(lines["gid"]), dtype=pl.Int64))
        parts.append(lines.select("line_number", entity=pl.lit(route.hashed_as), gid=route.owner_gid, hash="hash"))
    survey.odd += block.numbers[~taken].tolist()
    if not parts:
        return pl.DataFrame()
    run, shop = pl.lit(load.run_id.bytes), pl.lit(load.shop_id.bytes)
    return pl.concat(parts).select(run.alias("bulk_run_id"), shop.alias("shop_id"), pl.all())
