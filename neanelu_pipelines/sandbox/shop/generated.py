"""What a made-up shop is to be: its domain, its seed and its sizes.

Belongs here: the description, with its defaults. Does not belong here: the shop (`world`).
"""

from dataclasses import dataclass, field

import xxhash

SCOPES = (
    "read_all_orders",
    "read_customers",
    "read_files",
    "read_inventory",
    "read_locations",
    "read_metaobject_definitions",
    "read_metaobjects",
    "read_online_store_navigation",
    "read_orders",
    "read_products",
    "read_publications",
)
_BLOCKS = 4096
_BLOCK = 1_000_000


@dataclass(frozen=True)
class GeneratedShop:
    """A shop that follows from (seed, sizes) alone; `domain` ends in .myshopify.com.

    Nodes of shops with other seeds have other ids. `collections` and `files` follow from `products` where they are
    None. `token` is what the API accepts; by default it follows from the domain.
    """

    domain: str
    seed: int = 0
    products: int = 100
    orders: int = 0
    customers: int = 0
    collections: int | None = None
    metaobjects: int = 12
    files: int | None = None
    scopes: tuple[str, ...] = SCOPES
    api_versions: tuple[str, ...] = ("2025-10", "2026-01", "2026-04")
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.token:
            object.__setattr__(self, "token", f"shpat_{xxhash.xxh3_128_hexdigest(self.domain.encode())}")

    @property
    def first(self) -> int:
        """The number of the first node of each type."""
        return (self.seed % _BLOCKS) * _BLOCK

    @property
    def collection_count(self) -> int:
        """How many collections there are."""
        return max(1, min(200, self.products // 25)) if self.collections is None else self.collections

    @property
    def file_count(self) -> int:
        """How many files there are beside the products' media."""
        return min(500, self.products // 10) if self.files is None else self.files
