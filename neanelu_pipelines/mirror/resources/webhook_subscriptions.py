"""The app's webhook subscriptions: their query, asked page by page, and their mirror table.

A topic is spelled as in the header of its webhooks. The mirror has no time of change of a subscription, so the moments
of the exports decide which is newer. A subscription's filter has no column.

Belongs here: the declaration. Does not belong here: making subscriptions and receiving webhooks (`shopify.webhooks`).
"""

from neanelu_pipelines.mirror.declarations import Column, Derivation, Entity, Kind, Resource
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY

WEBHOOK_SUBSCRIPTIONS = Resource(
    name="webhook_subscriptions",
    description="What the app has subscribed to in a shop, as the pages of a query return it.",
    entities=(
        Entity(
            node_types=("WebhookSubscription",),
            table="shopify_webhooks",
            staging="pipeline.staging_webhooks",
            columns=(
                GID,
                Column(
                    "topic",
                    Kind.TEXT,
                    (),
                    required=True,
                    max_length=100,
                    derivation=Derivation.TOPIC,
                    derived_from="topic",
                ),
                Column("address", Kind.TEXT, ("uri",), required=True),
                Column(
                    "format",
                    Kind.TEXT,
                    (),
                    choices=frozenset({"json", "xml"}),
                    derivation=Derivation.LOWER_CASE,
                    derived_from="format",
                ),
                Column("api_version", Kind.TEXT, ("apiVersion.handle",), max_length=20),
                Column("include_fields", Kind.TEXT_ARRAY, ("includeFields",), shape=["text"]),
                Column("metafield_namespaces", Kind.TEXT_ARRAY, ("metafieldNamespaces",), shape=["text"]),
            ),
        ),
    ),
    ignored_fields=frozenset({"legacyResourceId", "filter", "createdAt", "updatedAt"}) | LINE_IDENTITY,
)
