"""Customers with addresses and metafields.

Belongs here: what a customer looks like, decided by (seed, number). Does not belong here: their orders.
"""

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.pools import Dice, pools, slug
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay, seconds_of, stamp
from neanelu_pipelines.sandbox.shop.people import FIRST_NAMES, LAST_NAMES, address
from neanelu_pipelines.sandbox.shop.products import money
from neanelu_pipelines.sandbox.shop.table import Table

_SINCE = seconds_of("2022-01-01T00:00:00Z")
_UNTIL = seconds_of("2025-10-31T00:00:00Z")
_STATES = ("DISABLED",) * 60 + ("ENABLED",) * 34 + ("INVITED",) * 5 + ("DECLINED",)
_MARKETING = ("NOT_SUBSCRIBED", "SUBSCRIBED", "SUBSCRIBED", "UNSUBSCRIBED", "PENDING")
_ADDRESSES = (0, 1, 1, 1, 1, 1, 2, 3)
_TAGS = ("fidel", "en-gros", "grădinar", "newsletter", "VIP", "ridicare personală")


class Customers:
    """The shop's customers."""

    def __init__(self, seed: int, first: int, count: int, overlay: Overlay) -> None:
        self._seed = seed
        self._overlay = overlay
        self.table = Table("Customer", count, overlay, first=first, build=self._build, moments=self._moments)

    def _moments(self, number: int) -> tuple[int, int]:
        dice = Dice("customer-times", self._seed, number)
        created = _SINCE + dice.below(_UNTIL - _SINCE)
        return created, created + dice.below(_UNTIL + 86_400 - created)

    def _build(self, number: int) -> Node:
        dice = Dice("customer", self._seed, number)
        created, updated = (stamp(moment) for moment in self._moments(number))
        first_name, last_name = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
        count = dice.pick(_ADDRESSES)
        addresses = self._overlay.apply_all(
            address(dice, number * ids.SLOTS + slot, first_name, last_name, of_customer=True) for slot in range(count)
        )
        orders = dice.below(8)
        email = f"{slug(first_name)}.{slug(last_name)}.{number}@example.com"
        marketing = dice.pick(_MARKETING)
        has_phone = dice.chance(0.6)
        return {
            "__typename": "Customer",
            "id": ids.gid("Customer", number),
            "legacyResourceId": str(ids.legacy_id("Customer", number)),
            "firstName": first_name if dice.chance(0.97) else None,
            "lastName": last_name,
            "displayName": f"{first_name} {last_name}",
            "defaultEmailAddress": _email(email, marketing, created) if dice.chance(0.95) else None,
            "defaultPhoneNumber": _phone(number) if has_phone else None,
            "state": dice.pick(_STATES),
            "locale": dice.pick(("ro", "ro", "ro", "ro-RO", "hu", "en")),
            "note": dice.pick(pools().alts).slug.replace("-", " ") if dice.chance(0.1) else None,
            "tags": sorted({dice.pick(_TAGS) for _ in range(dice.below(3))}),
            "taxExempt": dice.chance(0.02),
            "taxExemptions": ["EU_REVERSE_CHARGE_EXEMPTION_RULE"] if dice.chance(0.02) else [],
            "verifiedEmail": dice.chance(0.9),
            "numberOfOrders": str(orders),
            "amountSpent": money(orders * (2_000 + dice.below(60_000))),
            "createdAt": created,
            "updatedAt": updated,
            "defaultAddress": addresses[0] if addresses else None,
            "addressesV2": addresses,
            "metafields": self._metafields(dice, number, created),
        }

    def _metafields(self, dice: Dice, number: int, created: str) -> list[Node]:
        if not dice.chance(0.1):
            return []
        node = {
            "__typename": "Metafield",
            "id": ids.gid("Metafield", number + 2 * ids.FAR),
            "namespace": "custom",
            "key": "cod_client",
            "type": "single_line_text_field",
            "value": f"C-{number % 1_000_000:06d}",
            "createdAt": created,
            "updatedAt": created,
        }
        return self._overlay.apply_all([node])


def _email(address: str, state: str, created: str) -> Node:
    asked = state in {"SUBSCRIBED", "UNSUBSCRIBED", "PENDING"}
    return {
        "emailAddress": address,
        "marketingState": state,
        "marketingOptInLevel": "SINGLE_OPT_IN" if asked else None,
        "marketingUpdatedAt": created if asked else None,
    }


def _phone(number: int) -> Node:
    return {"phoneNumber": f"+407{number % 100_000_000:08d}", "marketingState": "NOT_SUBSCRIBED"}
