"""Metaobjects: the metaobjects bulk query, asked once for each type, and their mirror table.

Capabilities are asked for by no query of ours: their column is taken when a result holds them.

It has no window, though a metaobject says when it changed: an export takes a bulk operation for each type whether one
changed or not, so that a search would save lines, not operations; and a type is the only value its query takes.

Belongs here: the declaration. Does not belong here: definitions, which have no table.
"""

from neanelu_pipelines.mirror.declarations import Column, Entity, Kind, Resource
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY, UPDATED

METAOBJECTS = Resource(
    name="metaobjects",
    description="Metaobjects with their fields, as a bulk query for each of their types returns them.",
    entities=(
        Entity(
            node_types=("Metaobject",),
            table="shopify_metaobjects",
            staging="pipeline.staging_metaobjects",
            columns=(
                GID,
                Column("type", Kind.TEXT, ("type",), required=True, max_length=100),
                Column("handle", Kind.TEXT, ("handle",), required=True, max_length=255),
                Column("display_name", Kind.TEXT, ("displayName",)),
                Column(
                    "fields",
                    Kind.JSON,
                    ("fields",),
                    required=True,
                    shape=[{"key": "text", "type": "text", "value": "text"}],
                    keyed_by="key",
                ),
                Column(
                    "capabilities",
                    Kind.JSON,
                    ("capabilities",),
                    shape={"publishable": {"status": "text"}, "onlineStore": {"templateSuffix": "text"}},
                    in_query=False,
                ),
                UPDATED,
            ),
            version="updated_at_shopify",
        ),
    ),
    ignored_fields=LINE_IDENTITY,
)
