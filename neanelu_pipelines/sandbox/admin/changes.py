"""What somebody has happen in a made-up shop, by HTTP: as a merchant would, so that the next sync finds it.

Belongs here: from a request's options to the shop's own verbs, and words for what cannot be. Does not belong here:
HTTP (`server`), what the verbs do (`sandbox.shop`).
"""

from typing import Any

from neanelu_pipelines.sandbox.shop.world import NoSuchNodeError, Shop

CREATABLE = ("Product", "Order", "Customer", "Collection")
_FORMS = (
    '{"create": "Product"}',
    '{"update": "gid://shopify/Product/1", "changes": {"title": "Ghiveci"}}',
    '{"delete": "gid://shopify/Product/1"}',
    '{"stock": "gid://shopify/InventoryLevel/1?inventory_item_id=2", "changes": {"available": 3}}',
)
_OURS = frozenset({"id", "__typename", "legacyResourceId", "createdAt", "updatedAt"})


class ChangeError(ValueError):
    """A change that cannot be made; the message says why."""


def change(shop: Shop, options: object) -> str:
    """Create, update or delete a node of a shop, or set quantities of an inventory level; the node's id.

    Raises:
        ChangeError: what is asked for is no change, or there is no such node or field.
    """
    if not isinstance(options, dict):
        raise ChangeError(f"One of: {', '.join(_FORMS)}")
    verbs = [name for name in ("create", "update", "delete", "stock") if name in options]
    allowed = {*verbs, "changes"} if verbs in (["update"], ["stock"]) else set(verbs)
    if len(verbs) != 1 or set(options) != allowed or not isinstance(options[verbs[0]], str):
        raise ChangeError(f"One of: {', '.join(_FORMS)}")
    subject: str = options[verbs[0]]
    try:
        return _done(shop, verbs[0], subject, options.get("changes"))
    except NoSuchNodeError as error:
        raise ChangeError(str(error)) from error


def _done(shop: Shop, verb: str, subject: str, changes: object) -> str:
    if verb == "create":
        if subject not in CREATABLE:
            raise ChangeError(f"{subject!r} cannot be created; {', '.join(CREATABLE)} can.")
        return shop.create(subject)
    if verb == "delete":
        shop.delete(subject)
    elif verb == "update":
        shop.update(subject, **_fields(shop, subject, changes))
    else:
        shop.set_stock(subject, **_quantities(shop, subject, changes))
    return subject


def _fields(shop: Shop, gid: str, changes: object) -> dict[str, Any]:
    """Plain fields that the node has, each with a value of the kind that it has now: any other breaks the answers."""
    now = shop.node(gid)
    if now is None:
        raise NoSuchNodeError(f"{shop.spec.domain} has no {gid}.")
    plain = {name: value for name, value in now.items() if name not in _OURS and _is_plain(value)}
    if not isinstance(changes, dict) or not changes or not set(changes) <= set(plain):
        raise ChangeError(f"changes: what can be changed of {gid} is {', '.join(sorted(plain))}.")
    for name, value in changes.items():
        kind = str if plain[name] is None else type(plain[name])
        if type(value) is not kind:
            raise ChangeError(f"changes: {name} is a {kind.__name__}, as in {plain[name]!r}; {value!r} is none.")
    return changes


def _quantities(shop: Shop, gid: str, changes: object) -> dict[str, int]:
    level = shop.node(gid)
    if level is None or level["__typename"] != "InventoryLevel":
        raise NoSuchNodeError(f"{shop.spec.domain} has no inventory level {gid}.")
    names = {str(one["name"]) for one in level["quantities"]}
    if not isinstance(changes, dict) or not changes or not set(changes) <= names:
        raise ChangeError(f"changes: the quantities of {gid} are {', '.join(sorted(names))}.")
    if wrong := [value for value in changes.values() if type(value) is not int or not abs(value) < 2**31]:
        raise ChangeError(f"changes: a quantity is a whole number; {wrong[0]!r} is none.")
    return changes


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)
