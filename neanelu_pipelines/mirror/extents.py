"""What a staged file can speak about: everything else in the mirror is left alone.

Belongs here: putting together what the file shows of itself (`selection`) and what is known of it beforehand. Does not
belong here: what the merge does with it.
"""

from dataclasses import dataclass
from typing import Any

from neanelu_pipelines.mirror.declarations import Entity, Link, Resource
from neanelu_pipelines.mirror.routes import routes_of
from neanelu_pipelines.mirror.selection import Selection


@dataclass(frozen=True)
class Extent:
    """What the staged file is able to say: the rest of the mirror is left alone."""

    columns: dict[str, list[str]]
    """Selected columns, by mirror table."""
    owned: frozenset[str]
    """The owned parts it holds completely: `table.field`, or a link table."""
    complete: bool
    """No line was rejected: then what is absent is gone. Otherwise it may have stood in a rejected line."""
    partial: frozenset[str] = frozenset()
    """Mirror tables of which some rows' lines are incomplete: such a row keeps what its line says nothing about."""
    mixed: frozenset[str] = frozenset()
    """Mirror tables with a column of which lines disagree whether they carry it: it is left out, so a row is not all
    that its lines say."""


def _lacks_lines(entity: Entity, link: Link, selection: Selection) -> bool:
    """Whether rows name one of their linked rows as the featured one, and still no line of any link was seen."""
    return link.table not in selection.routes and link.featured_gid_column in selection.valued.get(entity.table, ())


def extent_of(
    resource: Resource, selection: Selection, whole: frozenset[tuple[str, str]], asked: set[str], *, complete: bool
) -> dict[str, Any]:
    """The plain data of a merge's `Extent`. Parts that our query always asks for are empty if the file holds none."""
    root = next(entity for entity in resource.entities if entity.parent_node is None)
    always = {column.name for column in root.columns if column.in_query}
    is_our_query = always <= selection.columns.get(root.table, set())
    owned = selection.routes | asked
    for entity in resource.entities:
        if is_our_query:
            owned |= {f"{entity.table}.{part.field}" for part in entity.children if part.in_query}
            owned |= {
                link.table for link in entity.links if link.in_query and not _lacks_lines(entity, link, selection)
            }
    owned |= {route.owned_name for route in routes_of(resource) if route.owned_name and route.lines <= whole}
    columns = {table: sorted(names) for table, names in selection.columns.items()}
    return {
        "columns": columns,
        "owned": sorted(owned),
        "partial": sorted(selection.partial),
        "mixed": sorted(selection.mixed),
        "complete": complete,
    }
