"""Which media variants show: the variants' media bulk query and its rows in `shopify_variant_media`.

The products query has no room for them: it would have six connections, where five are the most. What a variant shows is
one set, kept whole in `pipeline.variant_media`, and unfolded into links from there; variants and media are other
resources' rows. A products file may hold such links too: once this resource has told of a variant, it alone speaks for
it, so that it does not matter which comes later. The mirror has no time of change of a set, so the moments of the
exports decide which is newer.

Belongs here: the declaration. Does not belong here: variants and media themselves, and the links of a products file
(`products`).
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
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY, MEDIA_NODES

SETS = "pipeline.variant_media"

VARIANT_MEDIA = Resource(
    name="variant_media",
    description="Which media the variants show, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("ProductVariant",),
            table=SETS,
            staging="pipeline.staging_variant_media",
            columns=(GID,),
            lookup=Lookup("variant_id", "shopify_gid", "shopify_variants", "id", elsewhere=True),
            children=(
                Children(
                    MEDIA_NODES,
                    "ProductVariant",
                    "media",
                    ("id",),
                    (Column("media_gid", Kind.TEXT, ("id",), required=True, max_length=100),),
                    lookup=MemberLookup("media_id", "media_gid", "shopify_media", "media_id"),
                ),
            ),
            unfolded=(Unfolded("shopify_variant_media", "media", "mirror/unfold_variant_media", shared=True),),
        ),
    ),
    ignored_fields=LINE_IDENTITY,
)
