"""Products with their variants, media and metafields: the products bulk query and its five mirror tables.

Sources are the fields of the query `products` (Admin API 2025-10). Files made with another query are taken too: what
they do not select (compareAtPriceRange, a variant's taxCode) is left alone, which is why not every column counts as
`in_query`. A variant's media are declared for such files; a sync asks for them with a query of their own, whose word
counts (`variant_media`), because this one would have six connections, where five are the most. Lengths, precisions and
choices are those of the mirror's columns; choices follow the API version's enums.

Belongs here: the declaration. Does not belong here: any code of its own; a file's size, which only `files` is told.
"""

from neanelu_pipelines.mirror.declarations import (
    Children,
    Column,
    Derivation,
    Entity,
    Kind,
    Link,
    Lookup,
    Parent,
    Resource,
)
from neanelu_pipelines.mirror.resources.common import (
    CREATED,
    GID,
    LEGACY_ID,
    LINE_IDENTITY,
    MEDIA_NODES,
    METAFIELD_KEY,
    METAFIELD_MEMBERS,
    MONEY,
    TOLD_AT,
    UPDATED,
)
from neanelu_pipelines.mirror.resources.variant_media import SETS

_PRODUCT_COLUMNS = (
    GID,
    LEGACY_ID,
    Column("title", Kind.TEXT, ("title",), required=True, max_bytes=16_384),
    Column("handle", Kind.TEXT, ("handle",), required=True, max_length=255),
    Column(
        "description",
        Kind.TEXT,
        ("description",),
        # A row's tsvector holds 1 MB at most, and a compound word counts several times: this much always fits.
        max_bytes=131_072,
        derivation=Derivation.PLAIN_TEXT,
        derived_from="descriptionHtml",
    ),
    Column("description_html", Kind.TEXT, ("descriptionHtml",)),
    Column("vendor", Kind.TEXT, ("vendor",), max_length=255),
    Column("product_type", Kind.TEXT, ("productType",), max_length=255),
    Column(
        "status",
        Kind.TEXT,
        ("status",),
        required=True,
        choices=frozenset({"ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED"}),
    ),
    Column("tags", Kind.TEXT_ARRAY, ("tags",), shape=["text"], max_length=255),
    Column("is_gift_card", Kind.BOOLEAN, ("isGiftCard",)),
    Column("has_only_default_variant", Kind.BOOLEAN, ("hasOnlyDefaultVariant",)),
    Column("has_out_of_stock_variants", Kind.BOOLEAN, ("hasOutOfStockVariants",), in_query=False),
    Column("requires_selling_plan", Kind.BOOLEAN, ("requiresSellingPlan",)),
    Column(
        "options",
        Kind.JSON,
        ("options",),
        shape=[{"id": "text", "name": "text", "position": "integer", "values": ["text"]}],
    ),
    Column("seo", Kind.JSON, ("seo",), shape={"title": "text", "description": "text"}),
    Column(
        "price_range",
        Kind.JSON,
        (),
        members={
            "min": "priceRangeV2.minVariantPrice.amount",
            "max": "priceRangeV2.maxVariantPrice.amount",
            "currency": "priceRangeV2.minVariantPrice.currencyCode",
        },
    ),
    Column(
        "compare_at_price_range",
        Kind.JSON,
        (),
        members={
            "min": "compareAtPriceRange.minVariantCompareAtPrice.amount",
            "max": "compareAtPriceRange.maxVariantCompareAtPrice.amount",
            "currency": "compareAtPriceRange.minVariantCompareAtPrice.currencyCode",
        },
        in_query=False,
    ),
    Column("featured_media_gid", Kind.TEXT, ("featuredMedia.id",), max_length=100, staged_only=True),
    Column("template_suffix", Kind.TEXT, ("templateSuffix",), max_length=100),
    Column("category_id", Kind.TEXT, ("category.id",), max_length=100),
    Column("published_at", Kind.TIMESTAMP, ("publishedAt",)),
    CREATED,
    UPDATED,
    TOLD_AT,
)

_VARIANT_COLUMNS = (
    GID,
    LEGACY_ID,
    Column("title", Kind.TEXT, ("title",), required=True, max_length=255),
    Column("sku", Kind.TEXT, ("sku",), max_length=255),
    Column("barcode", Kind.TEXT, ("barcode",), max_length=100),
    Column("price", Kind.NUMERIC, ("price",), required=True, precision=MONEY),
    Column("compare_at_price", Kind.NUMERIC, ("compareAtPrice",), precision=MONEY),
    Column("currency_code", Kind.TEXT, (), max_length=3, derivation=Derivation.SHOP_CURRENCY),
    Column("cost", Kind.NUMERIC, ("inventoryItem.unitCost.amount",), precision=MONEY),
    Column("weight", Kind.NUMERIC, ("inventoryItem.measurement.weight.value",), precision=(10, 4)),
    Column(
        "weight_unit",
        Kind.TEXT,
        ("inventoryItem.measurement.weight.unit",),
        choices=frozenset({"GRAMS", "KILOGRAMS", "OUNCES", "POUNDS"}),
    ),
    Column("inventory_quantity", Kind.INTEGER, ("inventoryQuantity",)),
    Column("inventory_policy", Kind.TEXT, ("inventoryPolicy",), choices=frozenset({"CONTINUE", "DENY"})),
    Column("inventory_item_id", Kind.TEXT, ("inventoryItem.id",), max_length=100),
    Column("taxable", Kind.BOOLEAN, ("taxable",)),
    Column("tax_code", Kind.TEXT, ("taxCode",), max_length=50),
    Column("available_for_sale", Kind.BOOLEAN, ("availableForSale",)),
    Column("requires_shipping", Kind.BOOLEAN, ("inventoryItem.requiresShipping",)),
    Column("requires_components", Kind.BOOLEAN, ("requiresComponents",)),
    Column("position", Kind.INTEGER, ("position",)),
    Column("selected_options", Kind.JSON, ("selectedOptions",), shape=[{"name": "text", "value": "text"}]),
    Column("image_url", Kind.TEXT, ("image.url",)),
    CREATED,
    UPDATED,
    TOLD_AT,
)

_MEDIA_COLUMNS = (
    GID,
    Column("legacy_resource_id", Kind.BIGINT, ("legacyResourceId",), derivation=Derivation.GID_NUMBER),
    Column(
        "media_type",
        Kind.TEXT,
        ("mediaContentType",),
        required=True,
        choices=frozenset({"EXTERNAL_VIDEO", "IMAGE", "MODEL_3D", "VIDEO"}),
    ),
    Column("alt", Kind.TEXT, ("alt",)),
    Column(
        "status",
        Kind.TEXT,
        ("status",),
        required=True,
        choices=frozenset({"FAILED", "PROCESSING", "READY", "UPLOADED"}),
    ),
    Column("mime_type", Kind.TEXT, ("mimeType", "sources.0.mimeType"), max_length=100, told_elsewhere=True),
    Column("width", Kind.INTEGER, ("image.width",)),
    Column("height", Kind.INTEGER, ("image.height",)),
    Column("duration", Kind.INTEGER, ("duration",)),
    Column("url", Kind.TEXT, ("image.url", "embedUrl", "sources.0.url")),
    Column("preview_url", Kind.TEXT, ("preview.image.url",)),
    Column("sources", Kind.JSON, ("sources",), shape=[{"url": "text", "mimeType": "text"}], empty="[]"),
    Column("metadata", Kind.JSON, (), members={"host": "host"}, empty="{}"),
    Column("created_at_shopify", Kind.TIMESTAMP, ("createdAt",)),
)

PRODUCTS = Resource(
    name="products",
    # 1 took everything from a lone `<` to the next `>` out of a description, 2 cut some that would have fitted.
    revision=3,
    window="updated_at",
    description="Products with their variants, media and metafields, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=MEDIA_NODES,
            parent_node="Product",
            table="shopify_media",
            staging="pipeline.staging_media",
            primary_key="media_id",
            also_told_by=(("files", "file_fingerprint"),),
            columns=_MEDIA_COLUMNS,
        ),
        Entity(
            node_types=("Product",),
            table="shopify_products",
            staging="staging_products",
            columns=_PRODUCT_COLUMNS,
            lookup=Lookup("featured_image_url", "featured_media_gid", "shopify_media", "url"),
            version="updated_at_shopify",
            children=(Children(("Metafield",), "Product", "metafields", METAFIELD_KEY, METAFIELD_MEMBERS),),
            links=(
                Link(
                    MEDIA_NODES,
                    "Product",
                    "shopify_product_media",
                    "product_id",
                    "media_id",
                    "shopify_media",
                    featured_gid_column="featured_media_gid",
                ),
            ),
        ),
        Entity(
            node_types=("ProductVariant",),
            parent_node="Product",
            table="shopify_variants",
            staging="staging_variants",
            columns=_VARIANT_COLUMNS,
            parent=Parent("product_id", "product_gid", "shopify_products"),
            version="updated_at_shopify",
            children=(
                Children(
                    ("Metafield",),
                    "ProductVariant",
                    "metafields",
                    METAFIELD_KEY,
                    METAFIELD_MEMBERS,
                    in_query=False,
                    asked_as="products.variants.metafields",
                ),
            ),
            links=(
                Link(
                    MEDIA_NODES,
                    "ProductVariant",
                    "shopify_variant_media",
                    "variant_id",
                    "media_id",
                    "shopify_media",
                    in_query=False,
                    told_by=SETS,
                ),
            ),
        ),
    ),
    ignored_fields=frozenset(
        {
            # Shopify's own sums over variants, which the mirror holds row by row: other queries' files have them.
            "totalInventory",
            "tracksInventory",
        }
    )
    | LINE_IDENTITY,
)
