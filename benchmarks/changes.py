"""What happens in a made-up shop between two syncs.

Belongs here: random edits, new rows, cleared fields, deletions, all of them what Shopify's own validation allows; the
clock by which they happen. Does not belong here: what becomes of them in the mirror.
"""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.expected import metaobject_nodes
from benchmarks.values import nodes
from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.shop.overlay import Node, stamp
from neanelu_pipelines.sandbox.shop.world import Shop
from neanelu_pipelines.shopify.documents import paged

Dice = random.Random
_WORDS = ("Foarfecă", "Ghiveci", 'Țeavă de 3/4"', "Mănuși & șorț", "Semințe <bio>", "Grătar\nmare", "Ulei 100 %", "🌱")
_ALWAYS_LEFT = 5
_MENU_DEPTH = 3
_GONE = ("products", "orders", "customers", "collections", "metaobjects", "files")
_FEW_LEFT = ("variants", "media", "menus")
_CREATED = ("Product", "Order", "Customer", "Collection")


class Clock:
    """The shop's: it stands still while something is done, so that no two things happen in one of its seconds."""

    def __init__(self) -> None:
        self.now = (datetime.now(UTC) - timedelta(days=5)).replace(microsecond=0)
        self._changed = self._changed_here = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.now.timestamp()

    def tick(self) -> None:
        """Go on."""
        self.now += timedelta(seconds=7)

    def mark(self) -> None:
        """The shop has changed now."""
        self._changed, self._changed_here = self.now, datetime.now(UTC)

    def last_change(self, resource: str) -> datetime:
        """When the shop last changed: by its own clock, as an operation is dated, or by ours, as pages are."""
        return self._changed_here if resource in paged() else self._changed


def change(shop: Shop, dice: Dice) -> str:
    """Let one random thing happen; what it was."""
    happening = dice.choice(_HAPPENINGS)
    happening(shop, dice)
    return happening.__name__.strip("_")


def _product(shop: Shop, dice: Dice) -> None:
    changes = {
        "title": _words(dice),
        "vendor": dice.choice(("", _words(dice))),
        "tags": dice.sample(_WORDS, dice.randrange(3)),
        "templateSuffix": dice.choice((None, "promo")),
        "category": None,
        "descriptionHtml": dice.choice(("", f"<p>Nou: <b>{dice.randrange(100)}</b> buc.</p>")),
        "status": dice.choice(("ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED")),
        "publishedAt": None,
        "seo": {"title": dice.choice((None, _words(dice))), "description": None},
    }
    shop.update(dice.choice(nodes(shop, "products"))["id"], **_some(changes, dice))


def _variant(shop: Shop, dice: Dice) -> None:
    changes = {
        "price": f"{dice.randrange(1, 9000)}.{dice.randrange(100):02d}",
        "compareAtPrice": dice.choice((None, f"{dice.randrange(9000, 9999)}.90")),
        "barcode": dice.choice((None, str(dice.randrange(10**12, 10**13)))),
        "sku": dice.choice((None, f"SKU-{dice.randrange(10**6)}")),
        "taxable": dice.choice((True, False)),
        "inventoryPolicy": dice.choice(("DENY", "CONTINUE")),
    }
    variant = dice.choice(_with(nodes(shop, "products"), "variants", dice)["variants"])
    shop.update(variant["id"], **_some(changes, dice))


def _stock(shop: Shop, dice: Dice) -> None:
    """Counted anew at a location."""
    item = _with(nodes(shop, "inventoryItems"), "inventoryLevels", dice)
    for level in item["inventoryLevels"][:1]:
        counted = {"available": dice.randrange(-5, 500)} | dice.choice(({}, {"committed": dice.randrange(9)}))
        if "inventoryLevels" in shop.overlay.edits.get(item["id"], {}):
            _put_levels(shop, item, [_counted(shop, level, counted), *item["inventoryLevels"][1:]])
        else:
            shop.set_stock(level["id"], **counted)


def _place(shop: Shop, dice: Dice) -> None:
    """An item is kept at one location less, or at one more, which it may have been at before."""
    items = nodes(shop, "inventoryItems")
    item = dice.choice(items)
    levels = item["inventoryLevels"]
    if levels and dice.random() < 0.5:  # noqa: PLR2004 - as often as not
        gone = dice.choice(levels)
        _put_levels(shop, item, [one for one in levels if one is not gone])
        return
    here = {one["location"]["id"] for one in levels}
    others = {one["location"]["id"]: one for other in items for one in other["inventoryLevels"]}
    if free := sorted(others.keys() - here):
        like = others[dice.choice(free)]
        gid = f"{like['id'].partition('?')[0]}?inventory_item_id={item['legacyResourceId']}"
        new = like | {"id": gid, "item": item, "createdAt": stamp(shop.overlay.now())}
        _put_levels(shop, item, [*levels, _counted(shop, new, {"available": dice.randrange(50)})])


def _put_levels(shop: Shop, item: Node, levels: list[Node]) -> None:
    """From now on the item has these levels: what the shop makes up for it, or is told to set, does not count."""
    there = [one["quantity"] for level in levels for one in level["quantities"] if one["name"] == "available"]
    shop.update(item["id"], inventoryLevels=levels)
    shop.update(item["variant"]["id"], inventoryQuantity=sum(there))


def _counted(shop: Shop, level: Node, quantities: dict[str, int]) -> Node:
    """The level with these quantities, as of now."""
    told = [one | {"quantity": quantities.get(one["name"], one["quantity"])} for one in level["quantities"]]
    return level | {"quantities": told, "updatedAt": stamp(shop.overlay.now())}


def _media(shop: Shop, dice: Dice) -> None:
    media = dice.choice(_with(nodes(shop, "products"), "media", dice)["media"])
    shop.update(media["id"], alt=dice.choice((None, _words(dice))), status=dice.choice(("READY", "PROCESSING")))


def _file(shop: Shop, dice: Dice) -> None:
    """Any file, whether a product shows it or not; a picture may be another, or not be ready yet."""
    file = dice.choice(nodes(shop, "files"))
    changes: dict[str, Any] = {
        "alt": dice.choice((None, _words(dice))),
        "fileStatus": dice.choice(("READY", "UPLOADED")),
        "preview": {"image": dice.choice((None, {"url": f"https://cdn.shopify.com/s/{dice.randrange(10**6)}.jpg"}))},
    }
    if file["__typename"] == "GenericFile":
        changes["originalFileSize"] = dice.randrange(1, 10**7)
    if file.get("image"):
        seen = {"url": f"https://cdn.shopify.com/s/{dice.randrange(10**6)}.jpg", "width": dice.randrange(1, 4000)}
        changes["image"] = dice.choice((None, file["image"] | seen))
        changes["originalSource"] = {"fileSize": dice.randrange(1, 10**7)}
    shop.update(file["id"], **_some(changes, dice))


def _metafield(shop: Shop, dice: Dice) -> None:
    owner = _with(nodes(shop, dice.choice(("products", "customers"))), "metafields", dice)
    for metafield in owner["metafields"][:1]:
        _edit_or_delete(shop, dice, metafield["id"], value=_words(dice))


def _customer(shop: Shop, dice: Dice) -> None:
    changes = {
        "firstName": dice.choice((None, "Ștefania")),
        "defaultEmailAddress": None,
        "defaultPhoneNumber": None,
        "note": dice.choice((None, _words(dice))),
        "tags": dice.sample(_WORDS, dice.randrange(3)),
        "numberOfOrders": str(dice.randrange(100)),
        "amountSpent": {"amount": f"{dice.randrange(10**5)}.{dice.randrange(10)}", "currencyCode": "RON"},
        "state": dice.choice(("ENABLED", "DISABLED", "DECLINED")),
    }
    shop.update(dice.choice(nodes(shop, "customers"))["id"], **_some(changes, dice))


def _address(shop: Shop, dice: Dice) -> None:
    customer = _with(nodes(shop, "customers"), "addressesV2", dice)
    for address in customer["addressesV2"][-1:]:
        _edit_or_delete(shop, dice, address["id"], city=_words(dice), company=None)


def _order(shop: Shop, dice: Dice) -> None:
    changes = {
        "displayFulfillmentStatus": dice.choice(("FULFILLED", "ON_HOLD", "UNFULFILLED")),
        "displayFinancialStatus": dice.choice(("PAID", "VOIDED", "EXPIRED")),
        "note": dice.choice((None, _words(dice))),
        "shippingAddress": None,
        "billingAddress": None,
        "cancelledAt": None,
        "closedAt": None,
        "customer": None,
        "tags": dice.sample(_WORDS, dice.randrange(3)),
    }
    shop.update(dice.choice(nodes(shop, "orders"))["id"], **_some(changes, dice))


def _line_item(shop: Shop, dice: Dice) -> None:
    line = dice.choice(_with(nodes(shop, "orders"), "lineItems", dice)["lineItems"])
    shop.update(line["id"], quantity=dice.randrange(1, 20), currentQuantity=dice.randrange(20))


def _collection(shop: Shop, dice: Dice) -> None:
    changes = {
        "title": _words(dice),
        "descriptionHtml": dice.choice(("", "<p>Alese &amp; bune</p>")),
        "ruleSet": None,
        "image": None,
        "templateSuffix": dice.choice((None, "sezon")),
        "sortOrder": dice.choice(("MANUAL", "PRICE_ASC")),
    }
    shop.update(dice.choice(nodes(shop, "collections"))["id"], **_some(changes, dice))


def _location(shop: Shop, dice: Dice) -> None:
    location = dice.choice(nodes(shop, "locations", includeInactive=True, includeLegacy=True))
    changes = {
        "name": _words(dice),
        "isActive": dice.choice((True, False)),
        "fulfillsOnlineOrders": dice.choice((True, False)),
        "address": location["address"] | {"phone": None, "city": _words(dice)},
    }
    shop.update(location["id"], **_some(changes, dice))


def _metaobject(shop: Shop, dice: Dice) -> None:
    node = dice.choice(metaobject_nodes(shop))
    first, *others = node["fields"]
    fields = [first | {"value": _words(dice)}, *(one | {"value": dice.choice((None, one["value"]))} for one in others)]
    shop.update(node["id"], displayName=_words(dice), fields=fields)


def _publication(shop: Shop, dice: Dice) -> None:
    node = dice.choice(nodes(shop, "publications"))
    shop.update(node["id"], autoPublish=not node["autoPublish"], catalog=node["catalog"] | {"title": _words(dice)})


def _published(shop: Shop, dice: Dice) -> None:
    """A product is taken off a channel, put on one, or will be there at another time."""
    product = dice.choice(nodes(shop, "products"))
    there = {one["publication"]["id"]: one for one in product["resourcePublicationsV2"]}
    channel = dice.choice(nodes(shop, "publications"))
    told = there.pop(channel["id"], None)
    if told is None or dice.random() < 0.5:  # noqa: PLR2004 - as often as not
        there[channel["id"]] = {
            "__typename": "ResourcePublicationV2",
            "isPublished": dice.choice((True, False)),
            "publishDate": stamp(shop.overlay.now() + dice.randrange(-(10**6), 10**6)),
            "publication": channel,
        }
    shop.update(product["id"], resourcePublicationsV2=list(there.values()))


def _menu(shop: Shop, dice: Dice) -> None:
    """An item goes, comes, is called something else, or moves: within its menu or to another one."""
    menus = [menu | {"items": deepcopy(menu["items"])} for menu in nodes(shop, "menus")]
    lists = [listed for menu in menus for listed in _lists(menu["items"])]
    full = [one for one in lists if one]
    taken = dice.choice(full).pop(0) if full and dice.random() < 0.7 else _item(shop, dice)  # noqa: PLR2004 - mostly
    if dice.random() < 0.6:  # noqa: PLR2004 - else it goes, with what stands under it
        taken |= dice.choice(({}, {"title": _words(dice)}, {"url": None, "type": "HTTP", "resourceId": None}))
        # Three deep is the most: what stands under an item that moves stays with it only at the top.
        if taken["items"]:
            dice.choice(menus)["items"].append(taken)
        else:
            place = dice.choice([one for one in lists if one is not taken["items"]])
            place.insert(dice.randrange(len(place) + 1), taken)
    for menu in menus:
        shop.update(menu["id"], items=menu["items"], **dice.choice(({}, {"title": _words(dice)})))


def _lists(items: list[Node], depth: int = 1) -> Iterator[list[Node]]:
    """Every list of items that a menu has, as deep as it may be."""
    yield items
    for item in items if depth < _MENU_DEPTH else ():
        yield from _lists(item["items"], depth + 1)


def _item(shop: Shop, dice: Dice) -> Node:
    gid = ids.gid("MenuItem", shop.spec.first * 1000 + dice.randrange(1000, 10**6))
    return {"id": gid, "title": _words(dice), "type": "HTTP", "url": "/", "resourceId": None, "tags": [], "items": []}


def _new(shop: Shop, dice: Dice) -> None:
    shop.create(dice.choice(_CREATED))


def _gone(shop: Shop, dice: Dice) -> None:
    """A whole node, or a variant or a picture of a product that has more of them; some are always left."""
    kind = dice.choice((*_GONE, *_FEW_LEFT))
    if kind in {"variants", "media"}:
        nodes_left = _with(nodes(shop, "products"), kind, dice)[kind]
    else:
        nodes_left = metaobject_nodes(shop) if kind == "metaobjects" else nodes(shop, kind)
    if len(nodes_left) > (1 if kind in _FEW_LEFT else _ALWAYS_LEFT):
        shop.delete(dice.choice(nodes_left)["id"])


_HAPPENINGS: tuple[Callable[[Shop, Dice], None], ...] = (
    _product, _variant, _stock, _place, _media, _file, _metafield, _customer, _address, _order, _line_item, _collection,
    _location, _metaobject, _publication, _published, _menu, _new, _new, _gone, _gone,
)  # fmt: skip


def _edit_or_delete(shop: Shop, dice: Dice, gid: str, **changes: Any) -> None:
    if dice.random() < 0.3:  # noqa: PLR2004 - enough of both
        shop.delete(gid)
    else:
        shop.update(gid, **changes)


def _with(owners: list[Node], parts: str, dice: Dice) -> Node:
    """One that has such parts, or if none has any, one that has not."""
    return dice.choice([one for one in owners if one[parts]] or owners)


def _some(changes: dict[str, Any], dice: Dice) -> dict[str, Any]:
    chosen = dice.sample(sorted(changes), dice.randrange(1, 4))
    return {name: changes[name] for name in chosen}


def _words(dice: Dice) -> str:
    return f"{dice.choice(_WORDS)} {dice.randrange(1000)}"
