"""Customers with addresses and metafields: the customers bulk query and its mirror table.

Consent to marketing is that of the default email address. Shopify tells no average amount of an order:
`average_order_amount` is left alone.

Belongs here: the declaration. Does not belong here: a customer's orders (`orders`).
"""

from neanelu_pipelines.mirror.declarations import Children, Column, Entity, Kind, Resource, Test
from neanelu_pipelines.mirror.resources.common import (
    ADDRESS,
    CREATED,
    GID,
    LEGACY_ID,
    LINE_IDENTITY,
    LONGEST_EMAIL,
    METAFIELD_KEY,
    METAFIELD_MEMBERS,
    MONEY,
    TOLD_AT,
    UPDATED,
)

_COLUMNS = (
    GID,
    LEGACY_ID,
    Column("email", Kind.TEXT, ("defaultEmailAddress.emailAddress",), max_length=LONGEST_EMAIL),
    Column("phone", Kind.TEXT, ("defaultPhoneNumber.phoneNumber",), max_length=50),
    Column("first_name", Kind.TEXT, ("firstName",), max_length=100),
    Column("last_name", Kind.TEXT, ("lastName",), max_length=100),
    Column("display_name", Kind.TEXT, ("displayName",), max_length=255),
    Column("state", Kind.TEXT, ("state",), choices=frozenset({"DECLINED", "DISABLED", "ENABLED", "INVITED"})),
    Column("verified_email", Kind.BOOLEAN, ("verifiedEmail",)),
    Column(
        "accepts_marketing",
        Kind.BOOLEAN,
        ("defaultEmailAddress.marketingState",),
        test=Test("true", "false", "SUBSCRIBED"),
    ),
    Column("accepts_marketing_updated_at", Kind.TIMESTAMP, ("defaultEmailAddress.marketingUpdatedAt",)),
    Column("marketing_opt_in_level", Kind.TEXT, ("defaultEmailAddress.marketingOptInLevel",), max_length=30),
    Column("orders_count", Kind.INTEGER, ("numberOfOrders",)),
    Column("total_spent", Kind.NUMERIC, ("amountSpent.amount",), precision=MONEY),
    Column("currency_code", Kind.TEXT, ("amountSpent.currencyCode",), max_length=3),
    Column("tags", Kind.TEXT_ARRAY, ("tags",), shape=["text"], max_length=255),
    Column("tax_exempt", Kind.BOOLEAN, ("taxExempt",)),
    Column("tax_exemptions", Kind.TEXT_ARRAY, ("taxExemptions",), shape=["text"], max_length=255),
    Column("locale", Kind.TEXT, ("locale",), max_length=10),
    Column("note", Kind.TEXT, ("note",)),
    Column("default_address", Kind.JSON, ("defaultAddress",), shape=dict.fromkeys(("id", *ADDRESS), "text")),
    CREATED,
    UPDATED,
    TOLD_AT,
)

CUSTOMERS = Resource(
    name="customers",
    window="updated_at",
    by_month=True,
    description="Customers with their addresses and metafields, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("Customer",),
            table="shopify_customers",
            staging="pipeline.staging_customers",
            columns=_COLUMNS,
            version="updated_at_shopify",
            children=(
                Children(
                    ("MailingAddress",),
                    "Customer",
                    "addresses",
                    ("id",),
                    tuple(Column(name, Kind.TEXT, (name,)) for name in ("id", *ADDRESS)),
                    as_list=True,
                ),
                Children(("Metafield",), "Customer", "metafields", METAFIELD_KEY, METAFIELD_MEMBERS),
            ),
        ),
    ),
    ignored_fields=LINE_IDENTITY,
)
