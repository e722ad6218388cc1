"""Publications (sales channels): the publications bulk query and its mirror table.

A publication is named by its catalog, which also says of what kind it is and whether it is active; one without a
catalog is. The mirror has no time of change of a publication, so the moments of the exports decide which is newer.

Belongs here: the declaration. Does not belong here: which products it holds (`product_publications`).
"""

from neanelu_pipelines.mirror.declarations import Column, Derivation, Entity, Kind, Resource, Test
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY

PUBLICATIONS = Resource(
    name="publications",
    revision=2,  # 1 knew no kind of catalog
    description="Publications, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("Publication",),
            table="shopify_publications",
            staging="pipeline.staging_publications",
            columns=(
                GID,
                Column("name", Kind.TEXT, ("catalog.title", "name"), required=True, max_length=255),
                Column(
                    "catalog_type",
                    Kind.TEXT,
                    (),
                    max_length=50,
                    derivation=Derivation.CATALOG_TYPE,
                    derived_from="catalog.id",
                ),
                Column(
                    "is_active",
                    Kind.BOOLEAN,
                    ("catalog.status",),
                    by_node={"Publication": "ACTIVE"},
                    test=Test("true", "false", "ACTIVE"),
                    in_query=False,
                ),
                Column("auto_publish", Kind.BOOLEAN, ("autoPublish",)),
                Column("supports_future_publishing", Kind.BOOLEAN, ("supportsFuturePublishing",)),
            ),
        ),
    ),
    ignored_fields=LINE_IDENTITY,
)
