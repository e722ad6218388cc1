"""Collections and which products are in them: the collections bulk query and its two mirror tables.

A collection has no time of change in the mirror, so the moments of the exports decide which is newer. Its members are
rows of the products river; a product's place is that of its line among the collection's lines, which Shopify writes in
the collection's own order. Shopify tells no time of publication of a collection: `published_at` is left alone.

Belongs here: the declaration. Does not belong here: products themselves (`products`), where a collection is published.
"""

from neanelu_pipelines.mirror.declarations import Column, Derivation, Entity, Kind, Link, Resource, Test
from neanelu_pipelines.mirror.resources.common import GID, LEGACY_ID, LINE_IDENTITY, TOLD_AT

_COLUMNS = (
    GID,
    LEGACY_ID,
    Column("title", Kind.TEXT, ("title",), required=True),
    Column("handle", Kind.TEXT, ("handle",), required=True, max_length=255),
    Column(
        "description",
        Kind.TEXT,
        ("description",),
        max_bytes=131_072,
        derivation=Derivation.PLAIN_TEXT,
        derived_from="descriptionHtml",
    ),
    Column("description_html", Kind.TEXT, ("descriptionHtml",)),
    Column("collection_type", Kind.TEXT, ("ruleSet.appliedDisjunctively",), test=Test("SMART", "MANUAL")),
    Column(
        "sort_order",
        Kind.TEXT,
        ("sortOrder",),
        choices=frozenset(
            {"ALPHA_ASC", "ALPHA_DESC", "BEST_SELLING", "CREATED", "CREATED_DESC", "MANUAL", "PRICE_ASC", "PRICE_DESC"}
        ),
    ),
    Column(
        "rules",
        Kind.JSON,
        ("ruleSet.rules",),
        shape=[{"column": "text", "relation": "text", "condition": "text"}],
    ),
    Column("disjunctive", Kind.BOOLEAN, ("ruleSet.appliedDisjunctively",), test=Test("true", "false", "true")),
    Column("seo", Kind.JSON, ("seo",), shape={"title": "text", "description": "text"}),
    Column("image_url", Kind.TEXT, ("image.url",)),
    Column("products_count", Kind.INTEGER, ("productsCount.count",)),
    Column("template_suffix", Kind.TEXT, ("templateSuffix",), max_length=100),
    TOLD_AT,
)

COLLECTIONS = Resource(
    name="collections",
    revision=2,  # 1 cut some descriptions that would have fitted
    description="Collections with their members in order, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("Collection",),
            table="shopify_collections",
            staging="pipeline.staging_collections",
            columns=_COLUMNS,
            links=(
                Link(
                    ("Product",),
                    "Collection",
                    "shopify_collection_products",
                    "collection_id",
                    "product_id",
                    "shopify_products",
                    elsewhere=True,
                ),
            ),
        ),
    ),
    # Events and other queries' files have it: no column does, and it does not move when the members change.
    ignored_fields=frozenset({"updatedAt"}) | LINE_IDENTITY,
)
