"""Where products are published: the product publications bulk query and its rows in `shopify_resource_publications`.

A line of a publication has no id: it is known by its product and its publication. What a product is published in is one
set, kept whole in `pipeline.product_publications`, and unfolded into rows from there; products and publications are
other resources' rows. The mirror has no time of change of it, so the moments of the exports decide which is newer.

Belongs here: the declaration. Does not belong here: publications themselves (`publications`); where collections are
published, which is asked for by no query of ours.
"""

from neanelu_pipelines.mirror.declarations import (
    Children,
    Column,
    Entity,
    Kind,
    Lookup,
    MemberLookup,
    Resource,
    Unfolded,
)
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY

_TABLE = "pipeline.product_publications"

PRODUCT_PUBLICATIONS = Resource(
    name="product_publications",
    description="Which products are published where, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("Product",),
            table=_TABLE,
            staging="pipeline.staging_product_publications",
            columns=(GID,),
            lookup=Lookup("product_id", "shopify_gid", "shopify_products", "id", elsewhere=True),
            children=(
                Children(
                    ("ResourcePublicationV2",),
                    "Product",
                    "publications",
                    ("publication.id",),
                    (
                        Column("publication_gid", Kind.TEXT, ("publication.id",), required=True, max_length=100),
                        Column("is_published", Kind.BOOLEAN, ("isPublished",), required=True),
                        Column("publish_date", Kind.TIMESTAMP, ("publishDate",)),
                    ),
                    lookup=MemberLookup("publication_id", "publication_gid", "shopify_publications"),
                    without_id=True,
                ),
            ),
            unfolded=(Unfolded("shopify_resource_publications", "publications", "mirror/unfold_product_publications"),),
        ),
    ),
    ignored_fields=LINE_IDENTITY,
)
