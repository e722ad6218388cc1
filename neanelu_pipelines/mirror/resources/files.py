"""Files and media: the files bulk query and its mirror table, which it shares with products.

What a product shows is a file too: both resources write its row, each with a fingerprint of its own, from the same
fields, so that it does not matter which comes later. What only one of them is told (a picture's MIME type, a file's
size) the other leaves alone. What no product shows is this resource's alone, documents among it. The mirror has no time
of change of a file, so the moments of the exports decide which is newer.

Belongs here: the declaration. Does not belong here: which product shows a file, and where (`products`).
"""

from neanelu_pipelines.mirror.declarations import Column, Derivation, Entity, Kind, Resource
from neanelu_pipelines.mirror.resources.common import GID, LINE_IDENTITY

_KINDS = frozenset({"EXTERNAL_VIDEO", "GENERIC_FILE", "IMAGE", "MODEL_3D", "VIDEO"})

FILES = Resource(
    name="files",
    revision=2,  # 1 knew no previews, and no sizes but those of documents
    description="Files and media, whether a product shows them or not, as one bulk query returns them.",
    entities=(
        Entity(
            node_types=("MediaImage", "Video", "ExternalVideo", "Model3d", "GenericFile"),
            table="shopify_media",
            staging="pipeline.staging_files",
            primary_key="media_id",
            fingerprint="file_fingerprint",
            also_told_by=(("products", "fingerprint"),),
            columns=(
                GID,
                Column("legacy_resource_id", Kind.BIGINT, (), derivation=Derivation.GID_NUMBER),
                Column(
                    "media_type",
                    Kind.TEXT,
                    ("mediaContentType",),
                    required=True,
                    choices=_KINDS,
                    by_node={"GenericFile": "GENERIC_FILE"},
                ),
                Column("alt", Kind.TEXT, ("alt",)),
                Column(
                    "status",
                    Kind.TEXT,
                    ("status", "fileStatus"),
                    required=True,
                    choices=frozenset({"FAILED", "PROCESSING", "READY", "UPLOADED"}),
                ),
                Column("mime_type", Kind.TEXT, ("mimeType", "sources.0.mimeType"), max_length=100, told_elsewhere=True),
                Column(
                    "file_size", Kind.BIGINT, ("originalFileSize", "originalSource.fileSize", "originalSource.filesize")
                ),
                Column("width", Kind.INTEGER, ("image.width",)),
                Column("height", Kind.INTEGER, ("image.height",)),
                Column("duration", Kind.INTEGER, ("duration",)),
                Column("url", Kind.TEXT, ("image.url", "embedUrl", "sources.0.url", "url")),
                Column("preview_url", Kind.TEXT, ("preview.image.url",)),
                Column("sources", Kind.JSON, ("sources",), shape=[{"url": "text", "mimeType": "text"}], empty="[]"),
                Column("metadata", Kind.JSON, (), members={"host": "host"}, empty="{}"),
                Column("created_at_shopify", Kind.TIMESTAMP, ("createdAt",)),
            ),
        ),
    ),
    ignored_fields=frozenset({"updatedAt"}) | LINE_IDENTITY,
)
