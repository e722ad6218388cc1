"""What the declarations have in common: identity, moments, metafields, the precision of money.

Belongs here: columns that several resources declare alike. Does not belong here: any one resource.
"""

from neanelu_pipelines.mirror.declarations import TOLD_AT as TOLD_AT_COLUMN
from neanelu_pipelines.mirror.declarations import Column, Derivation, Kind

MONEY = (12, 2)
LONGEST_EMAIL = 320
"""Characters: 64 before the `@` and 255 after it (RFC 5321); an index holds no text without an end."""

GID = Column("shopify_gid", Kind.TEXT, ("id",), required=True, max_length=100)
LEGACY_ID = Column(
    "legacy_resource_id", Kind.BIGINT, ("legacyResourceId",), required=True, derivation=Derivation.GID_NUMBER
)
CREATED = Column("created_at_shopify", Kind.TIMESTAMP, ("createdAt",))
UPDATED = Column("updated_at_shopify", Kind.TIMESTAMP, ("updatedAt",))

TOLD_AT = Column(TOLD_AT_COLUMN, Kind.TIMESTAMP, ("toldAt",), staged_only=True, in_query=False)
"""Of rows that lines of events make, too: an export is of one moment, and its lines say none."""

METAFIELD_KEY = ("namespace", "key")
METAFIELD_MEMBERS = (Column("type", Kind.TEXT, ("type",)), Column("value", Kind.TEXT, ("value",)))

MEDIA_NODES = ("MediaImage", "Video", "ExternalVideo", "Model3d")

LINE_IDENTITY = frozenset({"__typename", "__parentId"})
"""Fields used for routing; no column takes them."""

ADDRESS = (
    "name",
    "firstName",
    "lastName",
    "company",
    "address1",
    "address2",
    "city",
    "province",
    "provinceCode",
    "country",
    "countryCodeV2",
    "zip",
    "phone",
)
"""The fields of a postal address that are kept, under Shopify's own names."""
