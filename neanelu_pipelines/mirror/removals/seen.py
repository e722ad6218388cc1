"""What an artifact holds, by GID, whatever became of its lines.

Belongs here: reading the artifact once more for the identities alone, and whether a line may hide a row. It is read
again, and not taken from staging: staging is empty after a crash, and holds changed lines only. Does not belong here:
what follows from what is missing (`snapshots`).

A row that failed validation is in the file all the same: its GID counts as seen. Only a line whose identity cannot be
read may hide a row; then nobody can say what is missing.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import fsspec
import polars as pl
from psycopg import Connection

from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.database.wire import HEADER, TRAILER, binary_rows
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError, Block, read_blocks
from neanelu_pipelines.shopify.nodes import identities, lines_of
from neanelu_pipelines.threads import side_by_side

_CHUNK_BYTES = 4 * 1024 * 1024


@dataclass
class Seen:
    """The sums of one reading."""

    lines: int = 0
    hidden: int = 0
    """Lines that may hold any row at all."""
    torn: bool = False


def sha256_of(path: str) -> str | None:
    """The hash of an artifact as it lies in the store now; None if it does not any more.

    Raises:
        ArtifactUnreadableError: the store does not give it.
    """
    digest = hashlib.sha256()
    try:
        with fsspec.open(path, "rb") as reader:
            while chunk := reader.read(_CHUNK_BYTES):
                digest.update(chunk)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ArtifactUnreadableError(f"{path}: cannot be read ({error}). Mend the artifact store.") from error
    return digest.hexdigest()


def write_seen(connection: Connection, settings: Settings, resource: Resource, path: str) -> Seen:
    """Fill the temporary table `seen_gids` of this transaction with every GID that a line is, or stands under.

    Raises:
        ArtifactUnreadableError: the artifact cannot be read.
    """
    seen = Seen()
    connection.execute(statement("removals/create_seen"))
    blocks = read_blocks(path, block_bytes=settings.block_bytes, max_line_bytes=settings.max_line_bytes)
    entities = [node for entity in resource.entities for node in entity.node_types]

    def look(block: Block) -> tuple[pl.DataFrame, int]:
        who = identities(lines_of(block))
        unclear = who["node"].is_null() | (who["node"].is_in(entities) & who["gid"].is_null())
        gids = pl.concat([who["gid"], who["parent_gid"].rename("gid")]).drop_nulls().unique()
        return gids.to_frame(), int(unclear.sum()) + len(block.bad)

    with connection.cursor().copy(statement("removals/copy_seen")) as copy:
        copy.write(HEADER)
        for gids, hidden in side_by_side(look, _counted(blocks, seen)):
            seen.hidden += hidden
            copy.write(binary_rows(gids))
        copy.write(TRAILER)
    connection.execute(statement("removals/analyze_seen"))
    return seen


def _counted(blocks: Iterator[Block], seen: Seen) -> Iterator[tuple[Block]]:
    for block in blocks:
        seen.lines = block.through
        seen.torn |= block.torn
        yield (block,)
