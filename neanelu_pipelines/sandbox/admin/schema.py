"""The part of the Admin API's types that the sandbox answers, as data, and how they are looked up.

Belongs here: types, their fields and arguments, and the scopes that fields demand. Does not belong here: Shopify's
own schema document (not ours to ship: a test compares, where a copy lies beside the checkout), and values.

A field is written `name`, `name:Type`, `name:[Type]` (a list of objects) or `name:Type*` (a connection), and its
arguments in parentheses. Connections take the arguments of paging besides.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

_MONEY = "shopMoney:MoneyV2 presentmentMoney:MoneyV2"
_PAGED = frozenset({"first", "last", "after", "before", "reverse"})
_SEARCH = "query,sortKey"
_METAFIELDS = "metafield(namespace,key):Metafield metafields(namespace,keys):Metafield*"
_FILE = "id alt createdAt updatedAt fileStatus"
_MEDIA = "id alt mediaContentType status preview:MediaPreviewImage"

_TYPES: dict[str, str] = {
    "QueryRoot": f"""
        shop:Shop currentAppInstallation:AppInstallation node(id):Node nodes(ids):[Node]
        product(id):Product productVariant(id):ProductVariant order(id):Order customer(id):Customer
        collection(id):Collection inventoryItem(id):InventoryItem inventoryLevel(id):InventoryLevel
        location(id):Location metaobject(id):Metaobject menu(id):Menu webhookSubscription(id):WebhookSubscription
        products({_SEARCH}):Product* productVariants({_SEARCH}):ProductVariant* orders({_SEARCH}):Order*
        customers({_SEARCH}):Customer* collections({_SEARCH}):Collection* inventoryItems(query):InventoryItem*
        locations({_SEARCH},includeLegacy,includeInactive):Location* files({_SEARCH}):File*
        metaobjects(type,{_SEARCH}):Metaobject* metaobjectDefinitions:MetaobjectDefinition*
        publications(catalogType):Publication* menus({_SEARCH}):Menu*
        webhookSubscriptions({_SEARCH},topics,uri,format):WebhookSubscription*
        deletionEvents({_SEARCH},subjectTypes):DeletionEvent*
        productsCount(query,limit):Count productVariantsCount(query,limit):Count ordersCount(query,limit):Count
        customersCount(query,limit):Count collectionsCount(query,limit):Count
        currentBulkOperation(type):BulkOperation
        bulkOperation(id):BulkOperation bulkOperations({_SEARCH}):BulkOperation*""",
    "Mutation": """
        bulkOperationRunQuery(query,groupObjects):BulkOperationRunQueryPayload
        bulkOperationCancel(id):BulkOperationCancelPayload
        webhookSubscriptionCreate(topic,webhookSubscription):WebhookSubscriptionCreatePayload
        webhookSubscriptionUpdate(id,webhookSubscription):WebhookSubscriptionUpdatePayload
        webhookSubscriptionDelete(id):WebhookSubscriptionDeletePayload""",
    "Node": "id",
    "File": f"{_FILE} preview:MediaPreviewImage",
    "Media": _MEDIA,
    "Catalog": "id title status",
    "PageInfo": "hasNextPage hasPreviousPage startCursor endCursor",
    "Count": "count precision",
    "Shop": """id name email contactEmail myshopifyDomain currencyCode ianaTimezone timezoneOffset weightUnit createdAt
        updatedAt taxesIncluded url plan:ShopPlan primaryDomain:Domain""",
    "ShopPlan": "displayName publicDisplayName partnerDevelopment shopifyPlus",
    "Domain": "id host url sslEnabled",
    "AppInstallation": "id accessScopes:[AccessScope]",
    "AccessScope": "handle description",
    "BulkOperation": """id status type errorCode createdAt completedAt objectCount rootObjectCount fileSize url
        partialDataUrl query""",
    "BulkOperationUserError": "field message code",
    "UserError": "field message",
    "BulkOperationRunQueryPayload": "bulkOperation:BulkOperation userErrors:[BulkOperationUserError]",
    "BulkOperationCancelPayload": "bulkOperation:BulkOperation userErrors:[UserError]",
    "WebhookSubscriptionCreatePayload": "webhookSubscription:WebhookSubscription userErrors:[UserError]",
    "WebhookSubscriptionUpdatePayload": "webhookSubscription:WebhookSubscription userErrors:[UserError]",
    "WebhookSubscriptionDeletePayload": "deletedWebhookSubscriptionId userErrors:[UserError]",
    "Product": f"""id legacyResourceId handle title descriptionHtml vendor productType status tags isGiftCard
        templateSuffix createdAt updatedAt publishedAt totalInventory tracksInventory hasOnlyDefaultVariant
        hasOutOfStockVariants requiresSellingPlan seo:SEO category:TaxonomyCategory featuredMedia:Media
        options(first):[ProductOption] priceRangeV2:ProductPriceRangeV2
        compareAtPriceRange:ProductCompareAtPriceRange variantsCount:Count variants(sortKey):ProductVariant*
        media({_SEARCH}):Media* {_METAFIELDS}
        resourcePublicationsV2(onlyPublished,catalogType):ResourcePublicationV2*""",
    "SEO": "title description",
    "TaxonomyCategory": "id fullName name",
    "ProductOption": "id name position values optionValues:[ProductOptionValue]",
    "ProductOptionValue": "id name",
    "ProductPriceRangeV2": "minVariantPrice:MoneyV2 maxVariantPrice:MoneyV2",
    "ProductCompareAtPriceRange": "minVariantCompareAtPrice:MoneyV2 maxVariantCompareAtPrice:MoneyV2",
    "MoneyV2": "amount currencyCode",
    "MoneyBag": _MONEY,
    "ProductVariant": f"""id legacyResourceId title sku barcode price compareAtPrice position taxable taxCode
        inventoryPolicy inventoryQuantity availableForSale requiresComponents createdAt updatedAt image:Image
        selectedOptions:[SelectedOption]
        inventoryItem:InventoryItem product:Product media:Media* {_METAFIELDS}""",
    "SelectedOption": "name value",
    "InventoryItemMeasurement": "weight:Weight",
    "Weight": "value unit",
    "Metafield": "id namespace key type value updatedAt createdAt",
    "MediaImage": f"{_MEDIA} {_FILE} mimeType originalSource:MediaImageOriginalSource image:Image",
    "ExternalVideo": f"{_MEDIA} {_FILE} embedUrl originUrl host",
    "Video": f"{_MEDIA} {_FILE} duration filename originalSource:VideoSource sources:[VideoSource]",
    "Model3d": f"{_MEDIA} {_FILE} filename originalSource:Model3dSource sources:[Model3dSource]",
    "GenericFile": f"{_FILE} preview:MediaPreviewImage url mimeType originalFileSize",
    "Image": "url width height altText",
    "MediaImageOriginalSource": "fileSize",
    "MediaPreviewImage": "image:Image",
    "VideoSource": "url mimeType fileSize",
    "Model3dSource": "url mimeType filesize",
    "ResourcePublicationV2": "isPublished publishDate publication:Publication",
    "Publication": "id autoPublish supportsFuturePublishing catalog:Catalog",
    "AppCatalog": "id title status",
    "Collection": """id legacyResourceId handle title descriptionHtml sortOrder templateSuffix updatedAt seo:SEO
        image:Image productsCount:Count ruleSet:CollectionRuleSet products(sortKey):Product*""",
    "CollectionRuleSet": "appliedDisjunctively rules:[CollectionRule]",
    "CollectionRule": "column relation condition",
    "Order": """id legacyResourceId name number email phone createdAt updatedAt processedAt cancelledAt cancelReason
        closedAt test displayFinancialStatus displayFulfillmentStatus currencyCode presentmentCurrencyCode taxesIncluded
        sourceName sourceIdentifier customerLocale discountCodes paymentGatewayNames tags note
        customAttributes:[Attribute] customer:Customer risk:OrderRiskSummary totalPriceSet:MoneyBag
        subtotalPriceSet:MoneyBag totalTaxSet:MoneyBag totalDiscountsSet:MoneyBag totalShippingPriceSet:MoneyBag
        currentTotalPriceSet:MoneyBag totalRefundedSet:MoneyBag refunds(first):[Refund]
        transactions(first):[OrderTransaction] fulfillments(first):[Fulfillment] billingAddress:MailingAddress
        shippingAddress:MailingAddress lineItems:LineItem* shippingLines(includeRemovals):ShippingLine*""",
    "OrderRiskSummary": "assessments:[OrderRiskAssessment]",
    "OrderRiskAssessment": "riskLevel",
    "Attribute": "key value",
    "Refund": "id createdAt updatedAt note totalRefundedSet:MoneyBag",
    "OrderTransaction": "id kind status processedAt amountSet:MoneyBag",
    "Fulfillment": "id status createdAt updatedAt",
    "LineItem": """id name title sku quantity currentQuantity variant:ProductVariant product:Product
        originalUnitPriceSet:MoneyBag discountedTotalSet:MoneyBag taxLines(first):[TaxLine]""",
    "TaxLine": "title rate priceSet:MoneyBag",
    "ShippingLine": "id title code originalPriceSet:MoneyBag",
    "MailingAddress": """id name firstName lastName company address1 address2 city province provinceCode country
        countryCodeV2 zip phone""",
    "Customer": """id legacyResourceId firstName lastName displayName defaultEmailAddress:CustomerEmailAddress
        defaultPhoneNumber:CustomerPhoneNumber state locale note tags taxExempt taxExemptions verifiedEmail
        numberOfOrders amountSpent:MoneyV2 createdAt updatedAt defaultAddress:MailingAddress
        addressesV2:MailingAddress* """
    + _METAFIELDS,
    "CustomerEmailAddress": "emailAddress marketingState marketingOptInLevel marketingUpdatedAt",
    "CustomerPhoneNumber": "phoneNumber marketingState",
    "InventoryItem": """id legacyResourceId sku tracked requiresShipping countryCodeOfOrigin harmonizedSystemCode
        createdAt updatedAt unitCost:MoneyV2 measurement:InventoryItemMeasurement variant:ProductVariant
        inventoryLevels(query):InventoryLevel*""",
    "InventoryLevel": """id createdAt updatedAt location:Location item:InventoryItem
        quantities(names):[InventoryQuantity]""",
    "InventoryQuantity": "id name quantity updatedAt",
    "Location": """id legacyResourceId name isActive isPrimary isFulfillmentService shipsInventory fulfillsOnlineOrders
        createdAt updatedAt deactivatedAt address:LocationAddress""",
    "LocationAddress": "address1 address2 city province provinceCode country countryCode zip phone",
    "Metaobject": "id handle type displayName updatedAt fields:[MetaobjectField]",
    "MetaobjectField": "key type value jsonValue",
    "MetaobjectDefinition": """id type name description displayNameKey metaobjectsCount
        fieldDefinitions:[MetaobjectFieldDefinition]""",
    "MetaobjectFieldDefinition": "key name required type:MetafieldDefinitionType",
    "MetafieldDefinitionType": "name category",
    "Menu": "id handle title isDefault items(limit):[MenuItem]",
    "MenuItem": "id title type url resourceId tags items:[MenuItem]",
    "WebhookSubscription": """id legacyResourceId topic uri format filter includeFields metafieldNamespaces createdAt
        updatedAt apiVersion:ApiVersion""",
    "ApiVersion": "handle displayName supported",
    "DeletionEvent": "occurredAt subjectId subjectType",
}

ABSTRACT: dict[str, frozenset[str]] = {
    "Media": frozenset({"MediaImage", "Video", "ExternalVideo", "Model3d"}),
    "File": frozenset({"MediaImage", "Video", "ExternalVideo", "Model3d", "GenericFile"}),
    "Catalog": frozenset({"AppCatalog"}),
}
"""What stands behind an abstract type; `Node` stands for everything with an id."""

NEW_IN_2026 = frozenset({"bulkOperation", "bulkOperations"})
"""Fields of the root that 2025-10 does not have."""

SCOPES: dict[tuple[str, str], str] = {
    ("QueryRoot", "products"): "read_products",
    ("QueryRoot", "productVariants"): "read_products",
    ("QueryRoot", "collections"): "read_products",
    ("QueryRoot", "deletionEvents"): "read_products",
    ("QueryRoot", "orders"): "read_orders",
    ("QueryRoot", "customers"): "read_customers",
    ("QueryRoot", "inventoryItems"): "read_inventory",
    ("QueryRoot", "locations"): "read_locations",
    ("QueryRoot", "files"): "read_files",
    ("QueryRoot", "publications"): "read_publications",
    ("QueryRoot", "menus"): "read_online_store_navigation",
    ("QueryRoot", "metaobjects"): "read_metaobjects",
    ("QueryRoot", "metaobjectDefinitions"): "read_metaobject_definitions",
    ("Product", "resourcePublicationsV2"): "read_publications",
    ("Order", "customer"): "read_customers",
    ("InventoryItem", "inventoryLevels"): "read_inventory",
}
"""The scope that a token needs for a field."""

ALL_SCOPES = frozenset(SCOPES.values())


class Shape(Enum):
    """What stands in a field."""

    SCALAR = auto()
    OBJECT = auto()
    LIST = auto()
    CONNECTION = auto()


@dataclass(frozen=True)
class FieldType:
    """A field of a type."""

    name: str
    shape: Shape
    type_name: str
    arguments: frozenset[str]


_TOKEN = re.compile(r"(\w+)(?:\(([\w,]*)\))?(?::(\[?)(\w+)(\]?)(\*?))?(?=\s|$)")


@cache
def fields_of(type_name: str) -> dict[str, FieldType]:
    """The fields of a type, without `__typename`; of connections and their edges too."""
    if type_name.endswith("Connection"):
        node = type_name.removesuffix("Connection")
        return {
            "edges": FieldType("edges", Shape.LIST, f"{node}Edge", frozenset()),
            "nodes": FieldType("nodes", Shape.LIST, node, frozenset()),
            "pageInfo": FieldType("pageInfo", Shape.OBJECT, "PageInfo", frozenset()),
        }
    if type_name.endswith("Edge"):
        node = type_name.removesuffix("Edge")
        cursor = FieldType("cursor", Shape.SCALAR, "String", frozenset())
        return {"node": FieldType("node", Shape.OBJECT, node, frozenset()), "cursor": cursor}
    return {match[1]: _field(match) for match in _TOKEN.finditer(_TYPES[type_name])}


def _field(match: re.Match[str]) -> FieldType:
    name, arguments, opens, type_name, _, star = match.groups()
    accepted = frozenset(arguments.split(",")) if arguments else frozenset()
    if type_name is None:
        return FieldType(name, Shape.SCALAR, "", accepted)
    if star:
        return FieldType(name, Shape.CONNECTION, f"{type_name}Connection", accepted | _PAGED)
    return FieldType(name, Shape.LIST if opens else Shape.OBJECT, type_name, accepted)


def is_connection(type_name: str) -> bool:
    """Whether this is a connection's type, or its edge's."""
    return type_name.endswith(("Connection", "Edge"))


def known(type_name: str) -> bool:
    """Whether there is such a type here."""
    return type_name in _TYPES


def type_names() -> list[str]:
    """All types, without connections and edges."""
    return list(_TYPES)


def is_a(concrete: str, type_name: str) -> bool:
    """Whether a node of type `concrete` is a `type_name`, which may be abstract."""
    return type_name in {concrete, "Node"} or concrete in ABSTRACT.get(type_name, ())
