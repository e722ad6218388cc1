"""Products with all that hangs on them: variants, inventory items and levels, media, metafields, publications.

Belongs here: the goods (`sandbox.goods`) as nodes, with what happened since laid over them. Does not belong here:
locations and publications themselves (`places`).
"""

import json
from functools import lru_cache

import numpy as np

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.goods import Outline, outline, product_lines
from neanelu_pipelines.sandbox.pools import Dice
from neanelu_pipelines.sandbox.shop.content import FILES
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay, seconds_of
from neanelu_pipelines.sandbox.shop.places import Places
from neanelu_pipelines.sandbox.shop.table import Indexes, Table

_VARIANT_MEDIA_SHARE = 0.1
_QUANTITIES = (
    "available",
    "on_hand",
    "committed",
    "incoming",
    "reserved",
    "damaged",
    "quality_control",
    "safety_stock",
)
_KEPT = 256
_OUTLINES = 20_000


class Products:
    """The shop's products; those looked at last are kept."""

    def __init__(self, seed: int, first: int, count: int, overlay: Overlay, places: Places) -> None:
        self._seed = seed
        self._overlay = overlay
        self._places = places
        self.outline = lru_cache(maxsize=_OUTLINES)(self._outline)
        self._kept = lru_cache(maxsize=_KEPT)(self._made)
        self.table = Table("Product", count, overlay, first=first, build=self._build, moments=self._moments)
        self.variants = Variants(self, "ProductVariant")
        self.items = Variants(self, "InventoryItem")
        self.overlay = overlay
        self.original = count
        """How many there were at first."""

    def variant_counts(self) -> Indexes:
        """How many variants each product has."""
        numbers = range(self.table.first, self.table.first + self.table.count)
        return np.fromiter((outline(self._seed, number).variants for number in numbers), np.int64)

    def media_counts(self, indexes: range) -> Indexes:
        """How many media each of these products was made with."""
        numbers = map(self.table.number_of, indexes)
        lines = (product_lines(self._seed, number, None, _VARIANT_MEDIA_SHARE) for number in numbers)
        return np.fromiter((sum('"mediaContentType"' in line for line in of) for of in lines), np.int64)

    def _outline(self, number: int) -> Outline:
        return outline(self._seed, number)

    def _moments(self, number: int) -> tuple[int, int]:
        known = outline(self._seed, number)
        return seconds_of(known.created_at), seconds_of(known.updated_at)

    def _build(self, number: int) -> Node:
        return self._kept(number, self._overlay.revision)

    def _made(self, number: int, _revision: int) -> Node:
        product, *children = (
            json.loads(line) for line in product_lines(self._seed, number, None, _VARIANT_MEDIA_SHARE)
        )
        of: dict[str, list[Node]] = {"ProductVariant": [], "Metafield": [], "media": []}
        by_variant: dict[str, list[Node]] = {}
        for child in children:
            parent = child.pop("__parentId")
            if parent != product["id"]:
                by_variant.setdefault(parent, []).append(child)
            else:
                of.get(child["__typename"], of["media"]).append(child)
        media = {one["id"]: one for one in of["media"]}
        for one in media.values():
            made = product["createdAt"]
            one.update(createdAt=made, updatedAt=made, fileStatus="READY", **_as_file(one))
        for slot, variant in enumerate(of["ProductVariant"]):
            variant["product"] = product
            variant["media"] = self._overlay.apply_all(media[one["id"]] for one in by_variant.get(variant["id"], ()))
            variant["image"] = next((one["image"] for one in variant["media"]), None)
            variant |= {"taxCode": "P0000000" if number % 19 == 0 else "", "requiresComponents": number % 23 == 0}
            self._stock(variant, number * ids.SLOTS + slot)
        product["variants"] = self._overlay.apply_all(of["ProductVariant"])
        product["media"] = self._overlay.apply_all(of["media"])
        product["metafields"] = self._overlay.apply_all(of["Metafield"])
        product["variantsCount"] = {"count": len(product["variants"]), "precision": "EXACT"}
        product["resourcePublicationsV2"] = self._places.publications_of(product, number)
        if self._overlay.edits or self._overlay.gone or self._overlay.stock:
            _sum_up(product)
        _say_of_variants(product)
        return self._overlay.apply(product)

    def _stock(self, variant: Node, number: int) -> None:
        """The variant's inventory item with its levels, and its metafields."""
        dice = Dice("stock", self._seed, number)
        item = variant["inventoryItem"]
        created = variant["createdAt"]
        item |= {
            "__typename": "InventoryItem",
            "legacyResourceId": item["id"].rpartition("/")[2],
            "requiresShipping": number % 29 > 0,
            "countryCodeOfOrigin": dice.pick(("RO", "RO", "PL", "DE", None)),
            "harmonizedSystemCode": dice.pick(("820150", "391739", "842430", None)),
            "createdAt": created,
            "updatedAt": variant["updatedAt"],
            "variant": variant,
        }
        levels = [
            self._level(item, number, place, share)
            for place, share in enumerate(_spread(dice, variant["inventoryQuantity"], self._places.stocked))
        ]
        item["inventoryLevels"] = levels
        variant["inventoryQuantity"] = sum(level["quantities"][0]["quantity"] for level in levels)
        variant["availableForSale"] = variant["inventoryQuantity"] > 0 or variant["inventoryPolicy"] == "CONTINUE"
        variant["metafields"] = self._variant_metafields(dice, number, variant)
        self._overlay.apply(item)

    def _level(self, item: Node, number: int, place: int, available: int) -> Node:
        set_since = self._overlay.stock.get((number, place), {})
        moment = set_since.get("updatedAt", item["updatedAt"])
        amounts = dict.fromkeys(_QUANTITIES, 0) | {"available": available, "committed": number % 3}
        amounts |= {name: value for name, value in set_since.items() if name in amounts}
        if "on_hand" not in set_since:
            others = (name for name in amounts if name not in {"on_hand", "incoming"})
            amounts["on_hand"] = sum(amounts[name] for name in others)
        location = self._places.locations[place]
        text = f"gid://shopify/InventoryLevel/{ids.legacy_id('InventoryLevel', self.table.first + place)}"
        return {
            "__typename": "InventoryLevel",
            "id": f"{text}?inventory_item_id={item['legacyResourceId']}",
            "createdAt": item["createdAt"],
            "updatedAt": moment,
            "location": location,
            "item": item,
            "quantities": [
                {
                    "id": f"gid://shopify/InventoryQuantity/{ids.legacy_id('InventoryLevel', self.table.first + place)}"
                    f"?inventory_item_id={item['legacyResourceId']}&name={name}",
                    "name": name,
                    "quantity": amount,
                    "updatedAt": moment if name != "on_hand" else None,
                }
                for name, amount in amounts.items()
            ],
        }

    def _variant_metafields(self, dice: Dice, number: int, variant: Node) -> list[Node]:
        if not dice.chance(0.08):
            return []
        # Far from the numbers of the products' own metafields.
        node = {
            "__typename": "Metafield",
            "id": ids.gid("Metafield", number + ids.FAR),
            "namespace": "custom",
            "key": "cod_furnizor",
            "type": "single_line_text_field",
            "value": f"F-{dice.below(90_000) + 10_000}",
            "createdAt": variant["createdAt"],
            "updatedAt": variant["createdAt"],
        }
        return self._overlay.apply_all([node])


class Variants:
    """The variants of all products, or their inventory items; an index is the product's index and the slot."""

    def __init__(self, products: Products, type_name: str) -> None:
        self.type_name = type_name
        self._products = products
        self._all: tuple[int, Indexes] = (-1, np.empty(0, dtype=np.int64))

    def indexes(self) -> Indexes:
        """The index of every variant there is, ascending."""
        table = self._products.table
        if self._all[0] != table.count:
            counts = self._products.variant_counts()
            starts = np.repeat(np.cumsum(counts) - counts, counts)
            slots = np.arange(counts.sum(), dtype=np.int64) - starts
            self._all = table.count, np.repeat(np.arange(table.count, dtype=np.int64), counts) * ids.SLOTS + slots
        every = self._all[1]
        overlay = self._products.overlay
        gone_products = overlay.gone_numbers.get("Product")
        if gone_products:
            every = every[~np.isin(every // ids.SLOTS, np.fromiter(gone_products, np.int64) - table.first)]
        gone = overlay.gone_numbers.get("ProductVariant")
        if gone:
            every = every[~np.isin(every, np.fromiter(gone, np.int64) - table.first * ids.SLOTS)]
        return every

    def updated(self, indexes: Indexes) -> Indexes:
        """When their products last changed."""
        return self._products.table.updated(indexes // ids.SLOTS)

    def created(self, indexes: Indexes) -> Indexes:
        """When their products were made."""
        return self._products.table.created(indexes // ids.SLOTS)

    def node(self, index: int) -> Node:
        """The variant, or its inventory item."""
        product = self._products.table.node(index // ids.SLOTS)
        wanted = ids.gid("ProductVariant", self._products.table.first * ids.SLOTS + index)
        variant: Node = next(one for one in product["variants"] if one["id"] == wanted)
        item: Node = variant["inventoryItem"]
        return variant if self.type_name == "ProductVariant" else item


def _spread(dice: Dice, quantity: int, places: int) -> list[int]:
    """The quantity over one, two or all stocked locations; the first has most of it."""
    used = min(places, dice.pick((1, 1, 2, 2, 3)))
    rest = [quantity // 5] * (used - 1)
    return [quantity - sum(rest), *rest]


def _sum_up(product: Node) -> None:
    """What a product says of its variants and media, after they changed."""
    left = [one["id"] for one in product["media"]]
    if product["featuredMedia"] and product["featuredMedia"]["id"] not in left:
        product["featuredMedia"] = {"id": left[0]} if left else None
    variants = product["variants"]
    product["totalInventory"] = sum(variant["inventoryQuantity"] for variant in variants)
    if variants:
        bani = [round(float(variant["price"]) * 100) for variant in variants]
        product["priceRangeV2"] = {
            "minVariantPrice": money(min(bani)),
            "maxVariantPrice": money(max(bani)),
        }


def _say_of_variants(product: Node) -> None:
    """What the query of the benchmarks' files does not ask of a product, and `goods` does not write."""
    variants = product["variants"]
    product["hasOutOfStockVariants"] = any(variant["inventoryQuantity"] <= 0 for variant in variants)
    bani = [round(float(one["compareAtPrice"]) * 100) for one in variants if one["compareAtPrice"] is not None]
    ends = (
        {"minVariantCompareAtPrice": money(min(bani)), "maxVariantCompareAtPrice": money(max(bani))} if bani else None
    )
    product["compareAtPriceRange"] = ends


def _as_file(media: Node) -> Node:
    """What a medium says as a file, beside what the goods' lines say of it."""
    number = int(media["id"].rpartition("/")[2]) // ids.STEP
    size = 20_000 + number * 7919 % 3_000_000
    poster = {"image": {"url": f"{FILES}/preview-{number}.jpg?v=1"}}
    match media["__typename"]:
        case "MediaImage":
            image = {"image": {"url": media["image"]["url"]}}
            return {"preview": image, "mimeType": "image/jpeg", "originalSource": {"fileSize": size}}
        case "Video":
            duration = 1000 * (10 + number % 90)
            return {
                "preview": poster,
                "duration": duration,
                "filename": "film.mp4",
                "originalSource": {"fileSize": size},
            }
        case "Model3d":
            return {"preview": poster, "filename": "model.glb", "originalSource": {"filesize": size}}
    return {"preview": poster, "originUrl": media["embedUrl"]}


def money(bani: int, currency: str = "RON") -> Node:
    """A `MoneyV2`: its amount without the second decimal where that is zero."""
    lei, rest = divmod(bani, 100)
    return {"amount": f"{lei}.{rest // 10 if rest % 10 == 0 else f'{rest:02d}'}", "currencyCode": currency}
