"""Orders with line items and shipping lines: the orders bulk query and its mirror table.

Amounts are those in the shop's own currency, as text in JSON, so that no digit is lost. A line item holds the mirror's
id of its variant (`variant_id`) beside Shopify's (`variant_gid`): both null where the variant is gone in Shopify, and
only the first where the mirror does not have it yet. Of several assessments of an order's risk the gravest counts. What
the mirror has no column for (refunds, transactions, fulfillments) is knowingly left out. `payment_terms` is left alone:
asking for them takes a scope of its own, and a token without it would get no order at all.

Belongs here: the declaration. Does not belong here: customers, variants and products, which an order only names.
"""

from neanelu_pipelines.mirror.declarations import (
    Children,
    Column,
    Entity,
    Kind,
    Lookup,
    MemberLookup,
    Resource,
    Shape,
)
from neanelu_pipelines.mirror.resources.common import (
    ADDRESS,
    CREATED,
    GID,
    LEGACY_ID,
    LINE_IDENTITY,
    LONGEST_EMAIL,
    MONEY,
    TOLD_AT,
    UPDATED,
)

_ADDRESS_SHAPE: Shape = dict.fromkeys(ADDRESS, "text")
_ASSESSMENTS = "risk.assessments"
_BAG: Shape = {
    "shopMoney": {"amount": "text", "currencyCode": "text"},
    "presentmentMoney": {"amount": "text", "currencyCode": "text"},
}


def _amount(name: str, field: str, *, required: bool = False) -> Column:
    return Column(name, Kind.NUMERIC, (f"{field}.shopMoney.amount",), required=required, precision=MONEY)


_COLUMNS = (
    GID,
    LEGACY_ID,
    Column("name", Kind.TEXT, ("name",), required=True, max_length=50),
    Column("order_number", Kind.INTEGER, ("number",), required=True),
    Column("email", Kind.TEXT, ("email",), max_length=LONGEST_EMAIL),
    Column("phone", Kind.TEXT, ("phone",), max_length=50),
    Column(
        "financial_status",
        Kind.TEXT,
        ("displayFinancialStatus",),
        choices=frozenset(
            {
                "AUTHORIZED",
                "EXPIRED",
                "PAID",
                "PARTIALLY_PAID",
                "PARTIALLY_REFUNDED",
                "PENDING",
                "REFUNDED",
                "VOIDED",
            }
        ),
    ),
    Column(
        "fulfillment_status",
        Kind.TEXT,
        ("displayFulfillmentStatus",),
        choices=frozenset(
            {
                "FULFILLED",
                "IN_PROGRESS",
                "ON_HOLD",
                "OPEN",
                "PARTIALLY_FULFILLED",
                "PENDING_FULFILLMENT",
                "REQUEST_DECLINED",
                "RESTOCKED",
                "SCHEDULED",
                "UNFULFILLED",
            }
        ),
    ),
    _amount("total_price", "totalPriceSet", required=True),
    _amount("subtotal_price", "subtotalPriceSet"),
    _amount("total_tax", "totalTaxSet"),
    _amount("total_discounts", "totalDiscountsSet"),
    _amount("total_shipping", "totalShippingPriceSet"),
    Column("currency_code", Kind.TEXT, ("currencyCode",), required=True, max_length=3),
    Column("presentment_currency", Kind.TEXT, ("presentmentCurrencyCode",), max_length=3),
    Column("discount_codes", Kind.JSON, ("discountCodes",), shape=["text"]),
    Column("shipping_address", Kind.JSON, ("shippingAddress",), shape=_ADDRESS_SHAPE),
    Column("billing_address", Kind.JSON, ("billingAddress",), shape=_ADDRESS_SHAPE),
    Column("customer_gid", Kind.TEXT, ("customer.id",), max_length=100),
    Column("customer_locale", Kind.TEXT, ("customerLocale",), max_length=10),
    Column("tags", Kind.TEXT_ARRAY, ("tags",), shape=["text"], max_length=255),
    Column("note", Kind.TEXT, ("note",)),
    Column("note_attributes", Kind.JSON, ("customAttributes",), shape=[{"key": "text", "value": "text"}]),
    Column("gateway", Kind.TEXT, ("paymentGatewayNames.0",), max_length=100),
    Column(
        "risk_level",
        Kind.TEXT,
        # The first assessment where none is grave: it says NONE or PENDING then.
        (
            *(f"{_ASSESSMENTS}.riskLevel={level}.riskLevel" for level in ("HIGH", "MEDIUM", "LOW")),
            f"{_ASSESSMENTS}.0.riskLevel",
        ),
        choices=frozenset({"HIGH", "LOW", "MEDIUM", "NONE", "PENDING"}),
        in_query=False,
    ),
    Column("source_name", Kind.TEXT, ("sourceName",), max_length=100),
    Column("source_identifier", Kind.TEXT, ("sourceIdentifier",), max_length=255),
    Column("cancelled_at", Kind.TIMESTAMP, ("cancelledAt",)),
    Column("cancel_reason", Kind.TEXT, ("cancelReason",), max_length=50),
    Column("closed_at", Kind.TIMESTAMP, ("closedAt",)),
    Column("processed_at", Kind.TIMESTAMP, ("processedAt",)),
    CREATED,
    UPDATED,
    TOLD_AT,
)

_LINE_ITEM = (
    Column("id", Kind.TEXT, ("id",)),
    Column("variant_gid", Kind.TEXT, ("variant.id",), max_length=100),
    Column("product_gid", Kind.TEXT, ("product.id",), max_length=100),
    Column("name", Kind.TEXT, ("name",)),
    Column("title", Kind.TEXT, ("title",)),
    Column("sku", Kind.TEXT, ("sku",)),
    Column("quantity", Kind.INTEGER, ("quantity",), required=True),
    Column("current_quantity", Kind.INTEGER, ("currentQuantity",)),
    _amount("price", "originalUnitPriceSet", required=True),
    _amount("discounted_total", "discountedTotalSet"),
    Column(
        "tax_lines",
        Kind.JSON,
        ("taxLines",),
        shape=[{"title": "text", "rate": "number", "priceSet": _BAG}],
    ),
)

_SHIPPING_LINE = (
    Column("id", Kind.TEXT, ("id",)),
    Column("title", Kind.TEXT, ("title",)),
    Column("code", Kind.TEXT, ("code",)),
    _amount("price", "originalPriceSet"),
)

ORDERS = Resource(
    name="orders",
    revision=3,  # 1 knew no risk, 2 only customers that the mirror has
    window="updated_at",
    by_month=True,
    whole_with="read_all_orders",
    description="Orders with their line items and shipping lines, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("Order",),
            table="shopify_orders",
            staging="pipeline.staging_orders",
            columns=_COLUMNS,
            version="updated_at_shopify",
            lookup=Lookup("customer_id", "customer_gid", "shopify_customers", "id", elsewhere=True),
            children=(
                Children(
                    ("LineItem",),
                    "Order",
                    "line_items",
                    ("id",),
                    _LINE_ITEM,
                    as_list=True,
                    lookup=MemberLookup("variant_id", "variant_gid", "shopify_variants"),
                ),
                Children(("ShippingLine",), "Order", "shipping_lines", ("id",), _SHIPPING_LINE, as_list=True),
            ),
        ),
    ),
    ignored_fields=frozenset(
        {
            "test",
            "taxesIncluded",
            "currentTotalPriceSet",
            "totalRefundedSet",
            "refunds",
            "transactions",
            "fulfillments",
        }
    )
    | LINE_IDENTITY,
)
