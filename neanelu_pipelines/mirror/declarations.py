"""The words in which a resource is declared: which nodes become which rows of which tables.

Belongs here: plain, immutable data with no behaviour beyond looking itself up. A new resource is a new module in
`resources/` written in these words; nothing else changes. Does not belong here: reading, staging or merging.

A result line is routed by its node type and by its parent's node type. A route leads to one or more targets:

* `Entity`: the line becomes a row of a mirror table, found again by (shop, GID);
* `Children`: the line is folded into a JSON column of its parent's row (metafields);
* `Link`: the line says that its node belongs to its parent (a row of an m:n table), in addition to being an entity
  or, where the node is another resource's, instead of it.

Children and links are *owned* by their parent's row: they count into its fingerprint and are replaced with it. So are
rows that a row is `Unfolded` into.

What another resource owns (`elsewhere`) may not be in the mirror yet: a collection's product, an order's customer. That
is no fault of the line. The row is merged without it, and its fingerprint stays unknown, so that every later load of
its resource looks again, until the other row is there.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

TOLD_AT = "told_at"
"""The staging column with the moment of the shop that a row shows, where its line says one."""

Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"
"""A JSON value's shape: "text", "integer", "number" or "boolean"; `[shape]` for a list; a dict for an object."""


class Kind(enum.StrEnum):
    """What a column takes, and so how a value is validated and written."""

    TEXT = "text"
    INTEGER = "integer"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    TEXT_ARRAY = "text[]"
    JSON = "json"


class Derivation(enum.StrEnum):
    """Where a value comes from when the node does not carry it."""

    GID_NUMBER = "the number in the node's GID"
    PLAIN_TEXT = "the text of `derived_from`, without its HTML"
    SHOP_CURRENCY = "the shop's own currency"
    LOWER_CASE = "`derived_from` in lower case"
    CATALOG_TYPE = (
        "the kind of catalog that the GID `derived_from` names: COMPANY_LOCATION for a CompanyLocationCatalog"
    )
    TOPIC = "the webhook topic `derived_from` as headers spell it: orders/create for ORDERS_CREATE"


@dataclass(frozen=True)
class Test:
    """Of a value only this is kept: whether it is `value` (None: whether there is one at all)."""

    then: str
    otherwise: str
    value: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of a mirror table (and of its staging table) and the field of the node that fills it.

    `sources` are dotted paths; the first that is not null counts (media have their URL in one of three places). In a
    list, a number stands for a place, and `name=available` for the object that says so of itself. With
    `members` the value is a JSON object made of several fields, by path. `required` and the limits are checked before
    COPY; a row that fails is rejected with the reason and the rest goes on.
    """

    name: str
    kind: Kind
    sources: tuple[str, ...]
    required: bool = False
    max_length: int | None = None
    max_bytes: int | None = None
    choices: frozenset[str] | None = None
    precision: tuple[int, int] | None = None
    shape: Shape = "text"
    members: Mapping[str, str] | None = None
    keyed_by: str | None = None
    """The list of objects becomes one object, by what each holds under this key."""
    derivation: Derivation | None = None
    derived_from: str | None = None
    by_node: Mapping[str, str] | None = None
    """What it is for nodes of these types, which do not carry it."""
    test: Test | None = None
    """The column says whether its source holds something, not what: rows that a result says nothing about keep it."""
    empty: str | None = None
    """What a JSON column has for null where the schema says so (`[]` for a picture's sources: only videos do)."""
    told_elsewhere: bool = False
    """Another resource may know it: null says nothing, and the row keeps what it has."""
    staged_only: bool = False
    """In staging only: the merge needs it, the mirror does not keep it."""
    in_query: bool = True
    """Whether the resource's query always asks for it: a result without it comes from another query. Not so of fields
    that earlier queries of ours, and those of recorded files, do not ask for."""

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """All paths that this column reads."""
        own = (*self.sources, *(self.members or {}).values())
        return (*own, self.derived_from) if self.derived_from else own


@dataclass(frozen=True)
class Parent:
    """An entity's foreign key to the entity it stands under (a variant's product)."""

    column: str
    """The key column in this entity's mirror table."""
    gid_column: str
    """The column of the staging table that holds the parent's GID."""
    table: str


@dataclass(frozen=True)
class Lookup:
    """A column filled in the merge from another mirror table's row (a product's picture from its featured media)."""

    column: str
    gid_column: str
    """The staging column that holds the other row's GID."""
    table: str
    value_column: str
    elsewhere: bool = False
    """Whether the other row is another resource's."""
    key_column: str = "shopify_gid"
    """The column of the other table that holds that GID; if it is not its own, the first such row counts."""


@dataclass(frozen=True)
class MemberLookup:
    """A member of folded lines that the merge fills with the id of another resource's row (a line item's variant)."""

    member: str
    gid_member: str
    """The member that holds the other row's GID."""
    table: str
    id_column: str = "id"


@dataclass(frozen=True)
class Children:
    """Lines folded into the JSON column `field` of the parent's row, each as an object of `members`.

    The column holds key -> object; as a list, the objects in the order of the numbers in their GIDs, which is the order
    in which Shopify made them: the same whatever the order of the lines.
    """

    node_types: tuple[str, ...]
    parent_node: str
    field: str
    key_paths: tuple[str, ...]
    members: tuple[Column, ...]
    """Read and checked as columns are; whole numbers and booleans stay such in JSON, money is text."""
    in_query: bool = True
    """Whether the resource's query always asks for them: then none in the file means that there are none."""
    asked_as: str | None = None
    """The dotted path of the connection that asks for them: where a load's own query has it, none in its result means
    that there are none, whatever other queries ask for."""
    as_list: bool = False
    lookup: MemberLookup | None = None
    without_id: bool = False
    """Whether these nodes have no `id`: a line is known by its parent and its key. Of several node types the key is the
    `id`, which tells them apart."""

    @property
    def nothing(self) -> str:
        """The column's value where there are no such lines."""
        return "[]" if self.as_list else "{}"


@dataclass(frozen=True)
class Link:
    """Lines that connect their node with their parent in an m:n table, replaced as a set with the parent."""

    node_types: tuple[str, ...]
    parent_node: str
    table: str
    parent_column: str
    child_column: str
    child_table: str
    featured_gid_column: str | None = None
    """The parent's staging column that names its featured child, if the table has `is_featured`."""
    in_query: bool = True
    elsewhere: bool = False
    """Whether the child is another resource's row (by its `id`). Its position is then that of its line among the
    parent's lines, and the order of the lines counts into the parent's fingerprint."""
    told_by: str | None = None
    """The table of sets of another resource that asks for nothing but these links: of a parent that has a set there
    only that resource writes them, whichever comes later."""


@dataclass(frozen=True)
class Unfolded:
    """Rows of another table that an entity's row is unfolded into (a menu's items), replaced as a set with it."""

    table: str
    made_of: str
    """The entity's column, or its folded lines' field, that holds them: nothing is unfolded where a result lacks it."""
    merge: str
    """The statement that writes and removes them, for the valid staged rows of one worker."""
    check: str | None = None
    """The statement that marks as invalid the staged rows that cannot be unfolded."""
    shared: bool = False
    """Whether the table is another resource's first."""


@dataclass(frozen=True)
class Entity:
    """Lines that become rows of `table`, by way of `staging`."""

    node_types: tuple[str, ...]
    table: str
    staging: str
    columns: tuple[Column, ...]
    primary_key: str = "id"
    parent_node: str | None = None
    parent: Parent | None = None
    lookup: Lookup | None = None
    fingerprint: str = "fingerprint"
    """The column with the hash of the row's lines: two resources that write the same rows have one each, and whichever
    changes what both say makes the other's unknown."""
    also_told_by: tuple[tuple[str, str], ...] = ()
    """Those resources, each with its column: while that is known, the row is as new as their last whole export."""
    version: str | None = None
    """The column with Shopify's own time of change; None where Shopify gives none (media)."""
    gid_returns: bool = False
    """Whether Shopify gives a GID that was gone to what comes after it (a level of the same item and location)."""
    place: tuple[str, ...] = ()
    """The columns by which Shopify names a row that is gone where not by its GID (a level: its item, its location)."""
    children: tuple[Children, ...] = ()
    links: tuple[Link, ...] = ()
    unfolded: tuple[Unfolded, ...] = ()
    ledger: str | None = None
    """The append-only table, partitioned by time, into which a trigger of this table writes its changes."""

    @cached_property
    def told_by_events(self) -> bool:
        """Whether lines of events make such rows, too: each says its own moment."""
        return any(column.name == TOLD_AT for column in self.columns)

    @property
    def shares_rows(self) -> bool:
        """Whether the table is another resource's first."""
        return self.fingerprint != "fingerprint"

    @cached_property
    def owned(self) -> tuple[Children | Link, ...]:
        """What is replaced together with a row of this entity."""
        return (*self.children, *self.links)

    @cached_property
    def parts(self) -> "tuple[Entity | Children | Link, ...]":
        """The entity itself and what it owns: each has node types and a parent's node type."""
        return (self, *self.children, *self.links)


CHILDREN_STAGING = "pipeline.staging_children"
LINKS_STAGING = "pipeline.staging_links"


@dataclass(frozen=True)
class Resource:
    """A resource: what one bulk query returns. `entities` stand in the order in which they can be merged."""

    name: str
    description: str
    entities: tuple[Entity, ...]
    revision: int = 1
    """Raised when other rows come of the same lines (a new column, another rule): all are staged again then."""
    window: str | None = None
    """The search field by which changes since a moment can be asked for, of the moments in the root entity's version;
    None where only the whole shows every change (a collection's members move without it)."""
    by_month: bool = False
    """Whether its past is also asked for a month of that field at a time: what grows for years, row beside row."""
    whole_with: str | None = None
    """The scope without which Shopify shows a part of the rows only, in an export as by their ids, and does not say so
    (orders without `read_all_orders`: those of the last 60 days): what an export lacks then is not known to be gone."""
    ignored_fields: frozenset[str] = frozenset()
    """Top-level fields of nodes that the query selects and the mirror knowingly has no column for."""

    @cached_property
    def root(self) -> Entity:
        """The entity of the lines that stand under no other."""
        return next(entity for entity in self.entities if entity.parent_node is None)

    @cached_property
    def staging_tables(self) -> tuple[str, ...]:
        """The staging tables that a load of this resource fills."""
        owned = [CHILDREN_STAGING] * any(entity.children for entity in self.entities)
        owned += [LINKS_STAGING] * any(entity.links for entity in self.entities)
        return (*(entity.staging for entity in self.entities), *owned)

    @cached_property
    def mirror_tables(self) -> tuple[str, ...]:
        """The mirror tables that a load of this resource writes, in the order of the merge."""
        links = [link.table for entity in self.entities for link in entity.links]
        ledgers = [entity.ledger for entity in self.entities if entity.ledger]
        unfolded = [part.table for entity in self.entities for part in entity.unfolded]
        return (*(entity.table for entity in self.entities), *links, *unfolded, *ledgers)

    @cached_property
    def shared_tables(self) -> frozenset[str]:
        """Those of the mirror tables that are another resource's first."""
        unfolded = {part.table for entity in self.entities for part in entity.unfolded if part.shared}
        return frozenset(unfolded.union(entity.table for entity in self.entities if entity.shares_rows))

    @cached_property
    def node_types(self) -> frozenset[str]:
        """Every node type that a result may hold."""
        return frozenset(node for entity in self.entities for part in entity.parts for node in part.node_types)

    def entity(self, table: str) -> Entity:
        """The entity of that mirror table."""
        return next(entity for entity in self.entities if entity.table == table)
