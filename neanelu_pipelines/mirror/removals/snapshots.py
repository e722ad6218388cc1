"""What a whole export does not hold any more is removed: carefully, because what is absent is also what was lost.

Belongs here: whether an export can speak of what is gone, how much may go at once, and the order of it all. Does not
belong here: reading the artifact (`seen`), asking Shopify (`confirm`), removing (`rows`).

A row goes only if all of this holds:

* the load of a whole resource was merged to its end, from bytes that are still those that were verified, and no newer
  whole export was merged since;
* no line of it is unreadable or torn, behind which the row may stand; a line that was rejected counts as seen;
* nothing in the mirror says that the row is newer than the export;
* no more rows of its table are missing than the share NEANELU_MAX_REMOVAL_SHARE, or a few; without those that were
  linked with removed rows only (pictures of products that went): what they hung on is recorded as gone;
* a whole export of the resource shows all there is: orders' only where the token may read all of them, when it is
  asked for as when the rows are (`Resource.whole_with`), and a file of them never, because nobody knows who took it;
* where it was asked for type by type, Shopify listed the row's type: one that the token may not see it does not list;
* Shopify, asked for it by its id, says that it is gone, and knows a row of its table that the export holds. Where
  nobody can be asked (a load of a file), nothing is removed unless a person wishes it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from graphql import parse
from graphql.language import FieldNode, NullValueNode, OperationDefinitionNode, VariableNode
from psycopg import Connection, sql
from psycopg.rows import namedtuple_row

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.database.copy import table_identifier
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror import ledger
from neanelu_pipelines.mirror.declarations import Entity, Resource
from neanelu_pipelines.mirror.removals.confirm import CANNOT_ASK, DoubtfulAnswerError, really_gone
from neanelu_pipelines.mirror.removals.rows import Gone, Reason, Why, remove_rows
from neanelu_pipelines.mirror.removals.seen import sha256_of, write_seen
from neanelu_pipelines.mirror.removals.told import STEP, moments_of
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.mirror.resources import RESOURCES, resource_named
from neanelu_pipelines.settings import Settings
from neanelu_pipelines.shopify.bulk.exports import Asks
from neanelu_pipelines.shopify.documents import by_kind
from neanelu_pipelines.shopify.faults import ShopifyFault

FEW = 10
"""So many missing rows of a table may go whatever their share, if Shopify confirms each: small shops have few rows."""
_HARMLESS = frozenset({"sortKey", "reverse", "includeInactive", "includeLegacy", "first", "after"})


class _UnfitError(NeaneluError):
    """The export cannot speak of what is gone, as many cannot; its words say why."""


class _RefusedError(NeaneluError):
    """The export should say what is gone, and is not believed until a person has done something; its words say what."""


@dataclass
class Removal:
    """What became of the rows that a whole export does not hold."""

    outcome: str
    """`removed`; `nothing` was missing; `refused`: a person is waited for, because too much was missing, the export is
    damaged or Shopify does not answer for the shop; `unfit`: it is none that could speak of what is gone."""
    reason: str = ""
    missing: dict[str, int] = field(default_factory=dict)
    """Rows that the export does not hold, by table; without those that stand under other missing rows."""
    still_there: int = 0
    """Of them, those that Shopify has after all."""
    tables: dict[str, int] = field(default_factory=dict)
    """Deleted rows by table."""


@dataclass(frozen=True)
class _Snapshot:
    """A load that may speak of what is gone."""

    load: LoadRun
    resource: Resource
    path: str
    as_of: datetime
    source: str
    kinds: frozenset[str] | None
    """The types that it was asked for, where it was asked for type by type."""


@dataclass(frozen=True)
class _Missing:
    entity: Entity
    rows: list[tuple[UUID, str]]
    alone: int
    """How many of the rows were linked with nothing but rows that were removed."""
    of: int
    witness: str | None
    unlisted: list[str]
    """The types of such rows that Shopify does not list."""

    @property
    def share(self) -> int:
        """How many rows count into the share that may go at once."""
        return len(self.rows) - self.alone


def remove_missing(
    database: Database,
    settings: Settings,
    load: LoadRun,
    client: Asks | None,
    *,
    unconfirmed: bool = False,
    max_share: float | None = None,
) -> Removal:
    """Remove from the mirror what the load of a whole export does not hold. Done once, it is not done again.

    Args:
        database: the mirror's.
        settings: the share of rows that may go, and how artifacts are read.
        load: a load that was merged to its end.
        client: the shop's, to have each row confirmed.
        unconfirmed: remove without a client, or without a row that Shopify has to know: a person says that the file
            holds everything.
        max_share: another share for this time.

    Raises:
        ShopifyFault: Shopify cannot be asked now; nothing was removed.
        ArtifactUnreadableError: the artifact store cannot be read now; nothing was removed.
        ResourceBusyError: a load of the resource did not end in time (transient).
    """
    with ledger.opened(database) as book, ledger.resource_lock(book, load, settings.lock_wait):
        before = ledger.step_metadata(book, load, STEP)
        if before is not None and before["outcome"] in ("removed", "nothing"):
            return Removal(**{name: before[name] for name in Removal.__dataclass_fields__})
        with ledger.step(book, load, STEP) as step:
            limit = settings.max_removal_share if max_share is None else max_share
            done = _remove_missing(database, book, settings, load, client, unconfirmed=unconfirmed, max_share=limit)
            step.records = sum(done.tables.values())
            step.metadata.update(asdict(done))
    return done


def _remove_missing(
    database: Database,
    book: Connection,
    settings: Settings,
    load: LoadRun,
    client: Asks | None,
    *,
    unconfirmed: bool,
    max_share: float,
) -> Removal:
    if client is None and not unconfirmed:
        return Removal("unfit", "Nobody can be asked whether what is missing is gone, and nobody said that it is.")
    done = Removal("nothing")
    try:
        snapshot = _fit(book, load)
        missing = _missing(database, settings, snapshot)
        done.missing = {found.entity.table: len(found.rows) for found in missing if found.rows}
        if not done.missing:
            return done
        if doubt := _doubt(missing, load, few=FEW if client else 0, max_share=max_share, unconfirmed=unconfirmed):
            raise _RefusedError(doubt)  # noqa: TRY301 - one way out for all refusals
        gone = _confirmed(client, snapshot, missing)
    except _UnfitError as unfit:
        return Removal("unfit", str(unfit))
    except (_RefusedError, DoubtfulAnswerError) as doubt:
        return Removal("refused", str(doubt), done.missing)
    done.still_there = sum(len(found.rows) for found in missing) - sum(len(rows) for _, rows in gone)
    done.tables = dict(_remove(database, snapshot, gone, confirmed=client is not None))
    done.outcome = "removed" if done.tables else "nothing"
    return done


def _fit(book: Connection, load: LoadRun) -> _Snapshot:
    """The load as a snapshot.

    Raises:
        _UnfitError: it is none.
        _RefusedError: it would be one.
    """
    with book.cursor(row_factory=namedtuple_row) as cursor:
        facts: Any = cursor.execute(statement("removals/snapshot_facts"), {"run_id": load.run_id}).fetchone()
    if facts is None or facts.status != "completed":
        raise _UnfitError("The load was not merged to its end.")
    if not facts.snapshot or not _asks_for_everything(load.resource, facts.query):
        raise _UnfitError("The load is of a part of the resource: of the rest it says nothing.")
    whole_with = resource_named(load.resource).whole_with
    if whole_with and (facts.lacks or facts.query is None):
        known = "of a file nobody knows" if facts.query is None else "the shop's token lacked it"
        raise _UnfitError(
            f"Without the scope {whole_with}, Shopify shows a part of {load.resource}, and {known}: only events say "
            "what is gone."
        )
    newest = ledger.shown_through(book, load)
    if newest is not None and newest > facts.as_of:
        raise _UnfitError(f"A newer whole export, of {newest.isoformat()}, was merged since.")
    if facts.unreadable:
        raise _RefusedError(_damaged(load, f"{facts.unreadable:,} of its lines cannot be read", _MEND_LINES))
    found = None if facts.deleted else sha256_of(facts.path)
    if found is None:
        raise _UnfitError("Its artifact was deleted since: the next whole export is looked at.")
    if found != facts.checksum:
        broken = "its bytes in the artifact store are not those that were verified when it was stored"
        raise _RefusedError(_damaged(load, broken, _MEND_BYTES))
    kinds = None if facts.kinds is None else frozenset(facts.kinds)
    return _Snapshot(load, resource_named(load.resource), facts.path, facts.as_of, facts.source or "", kinds)


def _asks_for_everything(resource: str, query: str | None) -> bool:
    """Whether a query has no condition. A file is taken at its word, unless it may be one type's.

    A type is none where it stands as a variable: then each that there is was asked for.
    """
    if query is None:
        return resource not in by_kind()
    operation = next(node for node in parse(query).definitions if isinstance(node, OperationDefinitionNode))
    roots = [field for field in operation.selection_set.selections if isinstance(field, FieldNode)]
    return len(roots) == 1 and all(
        argument.name.value in _HARMLESS or isinstance(argument.value, NullValueNode | VariableNode)
        for argument in roots[0].arguments
    )


def _missing(database: Database, settings: Settings, snapshot: _Snapshot) -> list[_Missing]:
    """The rows that the artifact does not hold, by table.

    Raises:
        _RefusedError: it cannot say.
    """
    with database.connect(Role.PIPELINE) as connection:
        seen = write_seen(connection, settings, snapshot.resource, snapshot.path)
        if seen.hidden or seen.torn:
            broken = "the last of its lines is torn" if seen.torn else f"{seen.hidden:,} of its lines name no row"
            raise _RefusedError(_damaged(snapshot.load, broken, _MEND_LINES))
        parameters = {"shop_id": snapshot.load.shop_id, "as_of": snapshot.as_of}
        return [_missing_of(connection, snapshot, entity, parameters) for entity in snapshot.resource.entities]


def _told_elsewhere(resource: Resource, entity: Entity) -> sql.Composable:
    """Rows that another resource lists as its own are not missing where only some of them show: a picture is a file.

    One that only this resource ever told of has nobody else to say that it is gone.
    """
    others = (
        other.fingerprint
        for declared in RESOURCES.values()
        if declared.name != resource.name
        for other in declared.entities
        if other.table == entity.table and other.parent_node is None and entity.parent_node is not None
    )
    conditions = [
        statement("removals/and_told_only_here").format(fingerprint=sql.Identifier(column)) for column in others
    ]
    return sql.SQL("\n   ").join(conditions)


def _missing_of(connection: Connection, snapshot: _Snapshot, entity: Entity, parameters: dict[str, Any]) -> _Missing:
    table = table_identifier(entity.table)
    under: sql.Composable = sql.SQL("")
    if entity.parent:
        under = statement("removals/and_parent_seen").format(
            parent_table=table_identifier(entity.parent.table),
            parent_key=sql.Identifier("id"),
            column=sql.Identifier(entity.parent.column),
        )
    query = statement("removals/find_missing").format(
        table=table,
        key=sql.Identifier(entity.primary_key),
        moments=moments_of(entity),
        and_parent_seen=under,
        and_told_only_here=_told_elsewhere(snapshot.resource, entity),
    )
    missing = connection.execute(query, parameters).fetchall()
    rows = [(key, gid) for key, gid, _ in missing]
    alone = sum(is_alone for _, _, is_alone in missing)
    count = connection.execute(statement("removals/count_rows").format(table=table), parameters).fetchone()
    witness = connection.execute(statement("removals/find_witness").format(table=table), parameters).fetchone()
    unlisted: list[str] = []
    if snapshot.kinds is not None:
        types = statement("removals/find_types").format(table=table, key=sql.Identifier(entity.primary_key))
        found = connection.execute(types, {**parameters, "keys": [key for key, _ in rows]}).fetchall()
        unlisted = [kind for (kind,) in found if kind not in snapshot.kinds]
    return _Missing(entity, rows, alone, count[0] if count else 0, witness[0] if witness else None, unlisted)


def _doubt(missing: Sequence[_Missing], load: LoadRun, *, few: int, max_share: float, unconfirmed: bool) -> str | None:
    """Why so much is not even asked for."""
    if not unconfirmed and (alone := [found.entity.table for found in missing if found.rows and not found.witness]):
        return _without_witness(alone, load)
    if not unconfirmed and (unlisted := [kind for found in missing for kind in found.unlisted]):
        return _unlisted(unlisted, load)
    if too_many := [found for found in missing if found.share > max(few, int(found.of * max_share))]:
        return _too_many(too_many, load, max_share)
    return None


_MEND_LINES = (
    "any row may stand there. bulk_errors says which lines and why: mend them in the shop, or raise "
    "NEANELU_MAX_LINE_BYTES if one is longer than that"
)
_MEND_BYTES = "look who writes there"


def _damaged(load: LoadRun, broken: str, remedy: str) -> str:
    return (
        f"The export of {load.resource} of {load.shop_domain} (ledger run {load.run_id}) cannot say what is gone, "
        f"{broken}: {remedy}; then sync {load.resource} again. Nothing was removed."
    )


def _too_many(found: Sequence[_Missing], load: LoadRun, max_share: float) -> str:
    said = ", ".join(f"{one.share:,} of {one.of:,} rows of {one.entity.table}" for one in found)
    return (
        f"The export of {load.resource} of {load.shop_domain} does not hold {said}: more than may go at once "
        f"({max_share:.0%}). Nothing was removed. If the shop really lost them, run `neanelu removals look "
        f"--export {load.run_id} --max-share X`, or materialize ledger/removals with look_again: {load.run_id} and "
        "max_share: X, the share of the rows that may go this time (else NEANELU_MAX_REMOVAL_SHARE); if not, look at "
        "what its token may see."
    )


def _unasked(load: LoadRun, refusal: ShopifyFault) -> str:
    return (
        f"Shopify cannot be asked whether what the export of {load.resource} of {load.shop_domain} (ledger run "
        f"{load.run_id}) does not hold is gone: {refusal} Nothing was removed."
    )


def _without_witness(tables: Sequence[str], load: LoadRun) -> str:
    return (
        f"The export of {load.resource} of {load.shop_domain} holds no row of {', '.join(tables)} that Shopify "
        "would have to know: a token that may not see them gets the same answer as a shop that has none. Nothing was "
        f"removed. If the shop really has none, {_wish(load)}"
    )


def _wish(load: LoadRun) -> str:
    return (
        f"run `neanelu removals look --export {load.run_id} --unconfirmed`, or materialize ledger/removals with "
        f"look_again: {load.run_id} and unconfirmed: true."
    )


def _unlisted(types: Sequence[str], load: LoadRun) -> str:
    return (
        f"Shopify does not list the types {', '.join(types)} of {load.resource} of {load.shop_domain} any more: either "
        "they are gone, with all that was of them, or the token may not see them. Nothing was removed. If the shop "
        f"really has none, {_wish(load)}"
    )


def _confirmed(
    client: Asks | None, snapshot: _Snapshot, missing: Sequence[_Missing]
) -> list[tuple[Entity, list[tuple[UUID, str]]]]:
    if client is None:
        return [(found.entity, found.rows) for found in missing]
    confirmed = []
    scope = snapshot.resource.whole_with
    for found in missing:
        gids = [gid for _, gid in found.rows]
        try:
            gone = really_gone(client, snapshot.load.shop_domain, gids, found.witness, scope) if gids else set()
        except CANNOT_ASK as refusal:
            raise _RefusedError(_unasked(snapshot.load, refusal)) from refusal
        confirmed.append((found.entity, [row for row in found.rows if row[1] in gone]))
    return confirmed


def _remove(
    database: Database, snapshot: _Snapshot, gone: Sequence[tuple[Entity, list[tuple[UUID, str]]]], *, confirmed: bool
) -> Counter[str]:
    counts: Counter[str] = Counter()
    said = f"whole export of {snapshot.as_of.isoformat()} ({snapshot.source})"
    why = Why(Reason.SNAPSHOT, said, confirmed, snapshot.load.run_id)
    with database.tenant(snapshot.load.shop_id, trace_id=str(snapshot.load.run_id)) as connection:
        for entity, rows in gone:
            named = [Gone(key, gid, snapshot.as_of) for key, gid in rows]
            counts += remove_rows(connection, entity.table, entity.primary_key, named, why)
    return counts
