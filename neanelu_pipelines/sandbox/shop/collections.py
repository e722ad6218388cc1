"""Collections and which products are in them.

Belongs here: collections, and membership worked out from numbers, so that none has to be stored. Does not belong
here: products.
"""

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.families import FAMILIES
from neanelu_pipelines.sandbox.pools import Dice, slug
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay, seconds_of, stamp
from neanelu_pipelines.sandbox.shop.products import Products
from neanelu_pipelines.sandbox.shop.table import Indexes, Table

_SINCE = seconds_of("2023-01-01T00:00:00Z")
_SPAN = 1000 * 86_400
_ORDERS = ("MANUAL", "BEST_SELLING", "ALPHA_ASC", "PRICE_ASC", "PRICE_DESC", "CREATED_DESC")
_MOTIVES = ("Oferte", "Noutăți", "Recomandate", "Lichidare de stoc", "Pentru începători", "Profesional")
_EMPTY_EVERY = 9


class Collections:
    """The shop's collections."""

    def __init__(self, seed: int, first: int, count: int, overlay: Overlay, products: Products) -> None:
        self._seed = seed
        self._overlay = overlay
        self._products = products
        self._first = first
        self._count = count
        self.table = Table("Collection", count, overlay, first=first, build=self._build, moments=self._moments)

    def _moments(self, number: int) -> tuple[int, int]:
        dice = Dice("collection-times", self._seed, number)
        created = _SINCE + dice.below(_SPAN)
        return created, created

    def _build(self, number: int) -> Node:
        dice = Dice("collection", self._seed, number)
        index = number - self._first
        family = FAMILIES[index % len(FAMILIES)]
        title = f"{dice.pick(_MOTIVES)}: {family.product_type}" if index >= len(FAMILIES) else family.product_type
        members = Members(self._products, index, self._count)
        smart = dice.chance(0.4)
        image = {"url": f"https://cdn.shopify.com/s/files/1/0594/2010/4119/collections/{index}.jpg", "altText": title}
        return {
            "__typename": "Collection",
            "id": ids.gid("Collection", number),
            "legacyResourceId": str(ids.legacy_id("Collection", number)),
            "handle": f"{slug(title)}-{index}",
            "title": title,
            "descriptionHtml": f"<p>{title} &amp; accesorii, alese pentru grădina ta.</p>" if dice.chance(0.7) else "",
            "sortOrder": dice.pick(_ORDERS),
            "templateSuffix": "promo" if dice.chance(0.2) else None,
            "updatedAt": stamp(self._moments(number)[1]),
            "seo": {"title": f"{title} | Neanelu" if dice.chance(0.5) else None, "description": None},
            "image": image if dice.chance(0.6) else None,
            "productsCount": {"count": len(members.indexes()), "precision": "EXACT"},
            "ruleSet": {
                "appliedDisjunctively": False,
                "rules": [{"column": "TYPE", "relation": "EQUALS", "condition": family.product_type}],
            }
            if smart
            else None,
            "products": members,
        }


class Members:
    """The products of a collection, in its order: every n-th product, n being the number of collections."""

    type_name = "Product"

    def __init__(self, products: Products, index: int, count: int) -> None:
        self._products = products
        self._index = index
        self._count = count

    def indexes(self) -> Indexes:
        """The products' indexes, ascending: a product's position follows."""
        every = self._products.table.indexes()
        step = max(self._count, 1)
        if self._index % _EMPTY_EVERY == _EMPTY_EVERY - 1:
            return every[:0]
        chosen: Indexes = every[(every % step == self._index) | (every % (step + 7) == self._index)]
        return chosen

    def updated(self, indexes: Indexes) -> Indexes:
        """When the products last changed."""
        return self._products.table.updated(indexes)

    def created(self, indexes: Indexes) -> Indexes:
        """When the products were made."""
        return self._products.table.created(indexes)

    def node(self, index: int) -> Node:
        """The product."""
        return self._products.table.node(index)
