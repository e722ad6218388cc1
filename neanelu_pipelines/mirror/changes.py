"""Which lines of an artifact can change the mirror: those of rows whose fingerprint differs from the mirror's.

Belongs here: the first pass over an artifact, that hashes every line without parsing it and lets PostgreSQL compare
the sums with the fingerprints of the rows. It saves work and decides nothing: without it every line would be staged
and the merge would come to the same rows. Does not belong here: parsing and staging.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import polars as pl
from numpy.typing import NDArray
from psycopg import Connection, sql

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.copy import csv_bytes, csv_copies, integer_rows, table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.mirror import staging_area
from neanelu_pipelines.mirror.declarations import Entity, Link, Resource
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.routes import gid_hashes, line_hashes, routes_of
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.jsonl import Block, read_blocks
from neanelu_pipelines.shopify.nodes import identities, lines_of

_LINES = staging_area.LINES
_COLUMNS = ("bulk_run_id", "shop_id", "line_number", "entity", "gid", "hash")


class Wanted:
    """The lines to stage, by the entity whose row they make; given out block by block, in order."""

    def __init__(self, resource: Resource, rows: Iterator[NDArray[np.int64]]) -> None:
        self._tables = [entity.table for entity in resource.entities]
        self._rows = rows
        self._waiting = np.empty((0, 2), dtype=np.int64)

    def up_to(self, line_number: int) -> dict[str, NDArray[np.int64]]:
        """The wanted line numbers up to and including this one that were not given out yet, by mirror table."""
        while not len(self._waiting) or self._waiting[-1, 0] <= line_number:
            more = next(self._rows, None)
            if more is None:
                break
            self._waiting = np.concatenate((self._waiting, more))
        cut = int(np.searchsorted(self._waiting[:, 0], line_number, side="right"))
        now, self._waiting = self._waiting[:cut], self._waiting[cut:]
        return {table: now[now[:, 1] == ordinal, 0] for ordinal, table in enumerate(self._tables)}


@contextmanager
def wanted_lines(database: Database, settings: Settings, resource: Resource, load: LoadRun) -> Iterator[Wanted | None]:
    """The lines of the artifact that can change something; None means every line, where the mirror is empty."""
    with database.connect(Role.PIPELINE) as connection:
        if all(_is_empty(connection, entity, load) for entity in resource.entities):
            yield None
            return
        staging_area.plan_for(connection, _fingerprint_lines(database, settings, resource, load))
        parameters = {"run_id": load.run_id, "shop_id": load.shop_id}
        yield Wanted(resource, integer_rows(connection, _changed(resource), parameters))


def _is_empty(connection: Connection, entity: Entity, load: LoadRun) -> bool:
    query = statement("mirror/has_rows").format(table=table_identifier(entity.table))
    return connection.execute(query, {"shop_id": load.shop_id}).fetchone() == (False,)


def _changed(resource: Resource) -> sql.Composed:
    parts = [
        statement("mirror/changed_lines").format(
            ordinal=sql.Literal(ordinal), entity=sql.Literal(entity.table), table=table_identifier(entity.table)
        )
        for ordinal, entity in enumerate(resource.entities)
    ]
    return statement("mirror/in_line_order").format(parts=sql.SQL(" UNION ALL ").join(parts))


def _fingerprint_lines(database: Database, settings: Settings, resource: Resource, load: LoadRun) -> int:
    """Write the keys and hashes of all lines; returns how many there are."""
    blocks = read_blocks(load.artifact_path, block_bytes=settings.block_bytes, max_line_bytes=settings.max_line_bytes)
    with csv_copies(database, {_LINES: _COLUMNS}) as copies:
        for block in blocks:
            rows = _line_keys(resource, load, block)
            if len(rows):
                copies[_LINES].write(csv_bytes(rows), len(rows))
    return copies[_LINES].rows


def _line_keys(resource: Resource, load: LoadRun, block: Block) -> pl.DataFrame:
    who = identities(lines_of(block)).with_columns(
        line_number=pl.Series(block.numbers), hash=pl.Series(line_hashes(block))
    )
    parts = []
    for route in routes_of(resource):
        lines = who.filter(route.mask(who))
        if isinstance(route.part, Link):
            lines = lines.with_columns(hash=pl.Series(gid_hashes(lines["gid"]), dtype=pl.Int64))
        parts.append(
            lines.select(
                bulk_run_id=pl.lit(str(load.run_id)),
                shop_id=pl.lit(str(load.shop_id)),
                line_number="line_number",
                entity=pl.lit(route.owner.table),
                gid=route.owner_gid,
                hash="hash",
            )
        )
    return pl.concat(parts)
