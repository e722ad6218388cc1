"""Publications (sales channels): the publications bulk query and its mirror table.

A publication is named by its catalog; which products it holds is a query of its own. The mirror has no time of change
of a publication, so the moments of the exports decide which is newer.
"""

from neanelu_pipelines.mirror.declarations import Column, Entity, Kind, Resource
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY

PUBLICATIONS = Resource(
    name="publications",
    description="Publications, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("Publication",),
            table="shopify_publications",
            staging="pipeline.staging_publications",
            columns=(
                GID,
                Column("name", Kind.TEXT, ("catalog.title", "name"), required=True, max_length=255),
                Column("auto_publish", Kind.BOOLEAN, ("autoPublish",)),
                Column("supports_future_publishing", Kind.BOOLEAN, ("supportsFuturePublishing",)),
            ),
        ),
    ),
    ignored_fields=LINE_IDENTITY,
)
