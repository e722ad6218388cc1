"""Lines of results, in Shopify's bytes, and the mirror as plain values to compare.

Belongs here: the smallest nodes that the products query can return, in lei, and looking at what a load made of them.
Other resources' nodes stand in their own tests.
Does not belong here: a whole made-up catalogue (`neanelu_pipelines.sandbox`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.mirror import river
from neanelu_pipelines.mirror.reports import LoadReport
from neanelu_pipelines.sandbox.wire import encode_line
from neanelu_pipelines.settings import Settings

DOMAIN = "unelte.myshopify.com"
OTHER_DOMAIN = "gradina.myshopify.com"
CHANGED = "2026-03-01T10:00:00Z"
LATER = "2026-03-02T10:00:00Z"
MIRROR = {
    "shopify_products": "id",
    "shopify_variants": "id",
    "shopify_media": "media_id",
    "shopify_product_media": "product_id, media_id",
    "shopify_variant_media": "variant_id, media_id",
    "shopify_collections": "id",
    "shopify_collection_products": "collection_id, product_id",
    "shopify_customers": "id",
    "shopify_orders": "id",
    "inventory_locations": "id",
    "pipeline.inventory_items": "id",
    "pipeline.inventory_levels": "id",
    "shopify_metaobjects": "id",
    "shopify_publications": "id",
    "pipeline.product_publications": "id",
    "pipeline.variant_media": "id",
    "shopify_resource_publications": "id",
    "shopify_menus": "id",
    "shopify_menu_items": "id",
    "shopify_webhooks": "id",
}
STAGING = (
    "staging_products",
    "staging_variants",
    "pipeline.staging_media",
    "pipeline.staging_collections",
    "pipeline.staging_customers",
    "pipeline.staging_orders",
    "pipeline.staging_locations",
    "pipeline.staging_inventory_items",
    "pipeline.staging_inventory_levels",
    "pipeline.staging_metaobjects",
    "pipeline.staging_publications",
    "pipeline.staging_product_publications",
    "pipeline.staging_variant_media",
    "pipeline.staging_menus",
    "pipeline.staging_files",
    "pipeline.staging_webhooks",
    "pipeline.staging_children",
    "pipeline.staging_links",
    "pipeline.staging_lines",
)
_LEDGER = (
    "inventory_ledger",
    "sync_checkpoints",
    "audit_logs",
    "bulk_errors",
    "bulk_artifacts",
    "bulk_steps",
    "bulk_runs",
)
_ENTITIES = ("shopify_products", "shopify_variants", "shopify_media")
# What our own server made of a row, and moments that belong to the load rather than to the data.
_OURS = "'id', 'shop_id', 'media_id', 'product_id', 'variant_id', 'synced_at', 'created_at', 'updated_at'"


def gid(node: str, number: int | str) -> str:
    return f"gid://shopify/{node}/{number}"


def product(number: int, **fields: Any) -> bytes:
    node = {
        "__typename": "Product",
        "id": gid("Product", number),
        "legacyResourceId": str(number),
        "handle": f"ferastrau-{number}",
        "title": f"Ferăstrău pentru grădină nr. {number}",
        "descriptionHtml": "<p>Lamă de oțel, 30 cm</p>",
        "vendor": "Grădinarul",
        "status": "ACTIVE",
        "tags": ["grădină", "tăiere"],
        "isGiftCard": False,
        "seo": {"title": None, "description": None},
        "updatedAt": CHANGED,
        "featuredMedia": None,
    }
    return encode_line(node | fields)


def variant(number: int, product_number: int, **fields: Any) -> bytes:
    node = {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", number),
        "legacyResourceId": str(number),
        "title": "30 cm",
        "sku": f"FER-{number}",
        "price": "79.90",
        "compareAtPrice": "99.90",
        "inventoryQuantity": 5,
        "inventoryPolicy": "DENY",
        "updatedAt": CHANGED,
    }
    return encode_line(node | fields, gid("Product", product_number))


def file(number: int, kind: str = "MediaImage", **fields: Any) -> bytes:
    """A file as the files query tells it; a picture with the fields that `media` has."""
    made = "2026-02-02T10:00:00Z"
    node: dict[str, Any] = {"__typename": kind, "id": gid(kind, number), "alt": f"poza {number}"}
    node |= {"createdAt": made, "updatedAt": made, "fileStatus": "READY"}
    if kind == "MediaImage":
        image = {"url": f"https://cdn.example/{number}.jpg", "width": 800, "height": 600}
        node |= {"mediaContentType": "IMAGE", "status": "READY", "mimeType": "image/jpeg", "image": image}
    elif kind == "GenericFile":
        node |= {"url": f"https://cdn.example/{number}.pdf", "mimeType": "application/pdf", "originalFileSize": 12_345}
    else:
        source = {"url": f"https://cdn.example/{number}.mp4", "mimeType": "video/mp4"}
        node |= {"mediaContentType": "VIDEO", "status": "READY", "duration": 9000, "sources": [source]}
    return encode_line(node | fields)


def media(number: int, parent: str, **fields: Any) -> bytes:
    node = {
        "__typename": "MediaImage",
        "id": gid("MediaImage", number),
        "alt": f"poza {number}",
        "mediaContentType": "IMAGE",
        "status": "READY",
        "image": {"url": f"https://cdn.example/{number}.jpg", "width": 800, "height": 600},
    }
    return encode_line(node | fields, parent)


def metafield(number: int, parent: str, key: str = "material", value: str = "oțel", **fields: Any) -> bytes:
    node = {
        "__typename": "Metafield",
        "id": gid("Metafield", number),
        "namespace": "custom",
        "key": key,
        "type": "single_line_text_field",
        "value": value,
    }
    return encode_line(node | fields, parent)


def catalogue(products: int = 3, **fields: Any) -> list[bytes]:
    """Products 1, 2, …, each with two variants, two media (the second featured, also a variant's) and metafields."""
    lines = []
    for n in range(1, products + 1):
        parent, first = gid("Product", n), gid("ProductVariant", n * 10)
        lines += [
            product(n, featuredMedia={"id": gid("MediaImage", n * 10 + 1)}, **fields),
            variant(n * 10, n),
            metafield(n * 10 + 2, first, key="lungime", value="30"),
            media(n * 10 + 1, first),
            variant(n * 10 + 1, n),
            media(n * 10, parent),
            media(n * 10 + 1, parent),
            metafield(n * 10, parent),
            metafield(n * 10 + 1, parent, key="culoare", value="roșu"),
        ]
    return lines


@dataclass(repr=False)
class River:
    """The river of one database: bytes in, rows out."""

    database: Database
    settings: Settings
    folder: Path
    shops: dict[str, UUID]

    def file(self, content: bytes | Iterable[bytes], name: str = "products.jsonl") -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else b"".join(content))
        return str(path)

    def load(
        self,
        content: bytes | Iterable[bytes],
        *,
        resource: str = "products",
        domain: str = DOMAIN,
        as_of: datetime | None = None,
        snapshot: bool = True,
        whole: Sequence[tuple[str, str]] = (),
        settings: Settings | None = None,
    ) -> LoadReport:
        """Load these bytes; the result's counts are checked to add up, whatever is in them."""
        report = river.load_file(
            self.database,
            settings or self.settings,
            shop_domain=domain,
            resource=resource,
            source=self.file(content),
            as_of=as_of,
            snapshot=snapshot,
            whole=whole,
        )
        assert_counts_add_up(self, report)
        return report

    def query(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.database.connect(Role.ADMIN) as connection:
            return connection.execute(query, parameters).fetchall()

    def one(self, query: str, *parameters: object) -> Any:
        (row,) = self.query(query, *parameters)
        return row[0] if len(row) == 1 else row

    def do(self, statement: str, *parameters: object) -> None:
        with self.database.connect(Role.ADMIN) as connection:
            connection.execute(statement, parameters)

    def errors(self, run_id: UUID | None = None) -> list[tuple[int, str]]:
        """Line number and code of each rejected line, of one run or of all."""
        return self.query(
            "SELECT line_number, error_code FROM bulk_errors WHERE bulk_run_id = COALESCE(%s, bulk_run_id) ORDER BY 1",
            run_id,
        )

    def error(self) -> tuple[int, str, str, str, Any]:
        """The one rejected line: its number, type, code, message and payload."""
        return self.one("SELECT line_number, error_type, error_code, error_message, payload FROM bulk_errors")  # type: ignore[no-any-return]

    def mirror(self, domain: str = DOMAIN) -> dict[str, list[Any]]:
        """What a shop's mirror says, without ids and moments of ours; links by the GIDs of their ends."""
        shop = self.shops[domain]
        rows = {
            table: self.query(
                f"SELECT m.shopify_gid, to_jsonb(m) - ARRAY[{_OURS}]"
                + (", p.shopify_gid" if table == "shopify_variants" else "")
                + f" FROM {table} m"
                + (" JOIN shopify_products p ON p.id = m.product_id" if table == "shopify_variants" else "")
                + " WHERE m.shop_id = %s ORDER BY 1",
                shop,
            )
            for table in _ENTITIES
        }
        for table, parent in (("shopify_product_media", "product"), ("shopify_variant_media", "variant")):
            rows[table] = self.query(
                f"SELECT p.shopify_gid, m.shopify_gid, to_jsonb(l) - ARRAY[{_OURS}] FROM {table} l"
                f" JOIN shopify_{parent}s p ON p.id = l.{parent}_id JOIN shopify_media m USING (media_id)"
                " WHERE l.shop_id = %s ORDER BY 1, 2",
                shop,
            )
        return rows

    def versions(self) -> dict[str, list[tuple[Any, ...]]]:
        """Where each row of the mirror lies and who wrote it: equal only if nothing at all was written."""
        return {
            table: self.query(f"SELECT {key}, ctid::text, xmin::text, updated_at FROM {table} ORDER BY 1, 2")
            for table, key in MIRROR.items()
        }

    def audit_rows(self) -> int:
        return int(self.one("SELECT count(*) FROM audit_logs"))

    def clear(self, also: Sequence[str] = ()) -> None:
        """As if nothing had been loaded yet."""
        with self.database.connect(Role.ADMIN) as connection:
            connection.execute("SET LOCAL session_replication_role TO replica")
            for table in (*reversed(MIRROR), *STAGING, *_LEDGER, "pipeline.removals", *also):
                connection.execute(f"DELETE FROM {table}")

    def unheard_of(self, hours: int) -> None:
        """As if what says that it runs had last been heard of so long ago."""
        then = f"now() - interval '{hours} hours'"
        running = "(SELECT id FROM bulk_runs WHERE status = 'running')"
        self.do(f"UPDATE bulk_steps SET started_at = {then}, completed_at = NULL WHERE bulk_run_id IN {running}")
        self.do(f"UPDATE bulk_runs SET started_at = {then}, updated_at = {then} WHERE status = 'running'")

    def staged_rows(self) -> int:
        return sum(self.one(f"SELECT count(*) FROM {table}") for table in STAGING)


def assert_counts_add_up(river_: River, report: LoadReport) -> None:
    """Lines read = staged + unchanged + rejected + ignored, by node type; as many errors as rejected lines."""
    (artifact,) = river_.query(
        "SELECT a.rows_count, r.status, r.records_processed FROM bulk_runs r"
        " JOIN bulk_artifacts a ON a.bulk_run_id = r.id WHERE r.id = %s",
        report.run_id,
    )
    total = report.stage.total
    assert artifact == (total.read, "completed", total.read)
    for node, counts in report.stage.nodes.items():
        assert min(counts.staged, counts.unchanged, counts.rejected, counts.ignored) >= 0, (node, counts)
    assert len(river_.errors(report.run_id)) == total.rejected
    assert len({number for number, _ in river_.errors(report.run_id)}) == total.rejected
    assert sum(rejection.count for rejection in report.rejections) == total.rejected


def moment(day: int) -> datetime:
    """A day in March 2026, for `as_of`."""
    return datetime(2026, 3, day, 12, tzinfo=UTC)


def fates(report: LoadReport) -> dict[str, tuple[int, int, int, int]]:
    """By node type: staged, unchanged, rejected, ignored."""
    return {
        node: (counts.staged, counts.unchanged, counts.rejected, counts.ignored)
        for node, counts in report.stage.nodes.items()
    }


def written(report: LoadReport) -> dict[str, tuple[int, int, int]]:
    """By mirror table: inserted, updated, deleted; only tables where something was."""
    counts = {table: (c.inserted, c.updated, c.deleted) for table, c in report.tables.items()}
    return {table: count for table, count in counts.items() if any(count)}


def without(lines: Sequence[bytes], *indexes: int) -> list[bytes]:
    return [line for i, line in enumerate(lines) if i not in indexes]
