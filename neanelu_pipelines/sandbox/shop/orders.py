"""Orders with their lines, money, transactions, refunds and fulfillments.

Belongs here: what an order looks like, decided by (seed, number). Does not belong here: the goods ordered
(`products`) and who ordered them (`customers`).

Prices include VAT, as in Romanian shops. An order's parts add up: subtotal and shipping make the total, the
transactions pay it, the refunds are part of it.
"""

from dataclasses import dataclass

from neanelu_pipelines.sandbox import ids
from neanelu_pipelines.sandbox.pools import Dice
from neanelu_pipelines.sandbox.shop.customers import Customers
from neanelu_pipelines.sandbox.shop.overlay import Node, Overlay, seconds_of, stamp
from neanelu_pipelines.sandbox.shop.people import FIRST_NAMES, LAST_NAMES, address
from neanelu_pipelines.sandbox.shop.products import Products, money
from neanelu_pipelines.sandbox.shop.table import Table

SINCE = seconds_of("2023-11-01T00:00:00Z")
UNTIL = seconds_of("2025-10-31T00:00:00Z")
_DAY = 86_400
_DONE_AFTER = 2 * _DAY
_VAT_CHANGE = seconds_of("2025-08-01T00:00:00Z")
_LINE_COUNTS = (1, 1, 1, 1, 2, 2, 2, 3, 4, 6)
_SOURCES = ("web",) * 85 + ("pos",) * 10 + ("shopify_draft_order",) * 5
_LEI_PER_EURO = 5


@dataclass(frozen=True)
class _Line:
    """A line of an order, in bani."""

    product: int
    title: str
    sku: str
    quantity: int
    returned: int
    unit: int
    discount: int

    @property
    def total(self) -> int:
        """What is paid for it."""
        return self.unit * self.quantity - self.discount


class Orders:
    """The shop's orders, spread evenly over two years."""

    def __init__(
        self, seed: int, first: int, count: int, overlay: Overlay, *, products: Products, customers: Customers
    ) -> None:
        self._seed = seed
        self._count = count
        self._overlay = overlay
        self._products = products
        self._customers = customers.table
        self._customers_then = customers.table.count
        self._first = first
        self.table = Table("Order", count, overlay, first=first, build=self._build, moments=self._moments)

    def _moments(self, number: int) -> tuple[int, int]:
        index = number - self._first
        step = (UNTIL - SINCE) // max(self._count, 1)
        dice = Dice("order-times", self._seed, number)
        created = SINCE + min(index, self._count) * step + dice.below(max(step, 1))
        # Most orders are done within a week; some are touched again much later.
        return created, created + _DONE_AFTER + dice.below(60 * _DAY if dice.chance(0.1) else 5 * _DAY)

    def _build(self, number: int) -> Node:
        dice = Dice("order", self._seed, number)
        created, updated = self._moments(number)
        currency = "EUR" if dice.chance(0.04) else "RON"
        lines = [self._line(dice) for _ in range(dice.pick(_LINE_COUNTS))] if self._products.table.count else []
        shipping = dice.pick((0, 1500, 1999, 2500))
        state = _state(dice)
        sums = _Sums(lines, shipping, created, state, currency)
        node = self._head(dice, number, created, updated) | sums.fields(number)
        node["lineItems"] = self._overlay.apply_all(
            self._line_node(line, number * ids.SLOTS + slot, sums) for slot, line in enumerate(lines)
        )
        node["shippingLines"] = self._overlay.apply_all(
            [
                {
                    "__typename": "ShippingLine",
                    "id": ids.gid("ShippingLine", number),
                    "title": "Curier rapid" if shipping else "Ridicare din magazin",
                    "code": "CURIER" if shipping else "PICKUP",
                    "originalPriceSet": sums.bag(shipping),
                }
            ]
        )
        return node

    def _head(self, dice: Dice, number: int, created: int, updated: int) -> Node:
        customer = self._customer(dice)
        first_name, last_name = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
        sent_to = address(dice, number * ids.SLOTS, first_name, last_name, of_customer=False)
        billed = address(dice, number * ids.SLOTS + 1, first_name, last_name, of_customer=False)
        return {
            "__typename": "Order",
            "id": ids.gid("Order", number),
            "legacyResourceId": str(ids.legacy_id("Order", number)),
            "name": f"#{1001 + number - self._first}",
            "number": 1001 + number - self._first,
            "email": f"comanda.{number}@example.com" if dice.chance(0.95) else None,
            "phone": f"+407{number % 100_000_000:08d}" if dice.chance(0.5) else None,
            "createdAt": stamp(created),
            "updatedAt": stamp(updated),
            "processedAt": stamp(created),
            "risk": {"assessments": _assessments(Dice("risk", self._seed, number))},
            "test": dice.chance(0.01),
            "taxesIncluded": True,
            "sourceName": dice.pick(_SOURCES),
            "sourceIdentifier": f"BON-{number}" if number % 9 == 0 else None,
            "customerLocale": "ro",
            "discountCodes": ["PRIMAVARA10"] if number % 11 == 0 else [],
            "paymentGatewayNames": ["Ramburs"] if number % 3 else ["netopia", "Card cadou"],
            "tags": ["urgent"] if dice.chance(0.05) else [],
            "note": "Sunați înainte de livrare & lăsați la vecini." if dice.chance(0.08) else None,
            "customAttributes": [{"key": "bon", "value": f"B-{number}"}] if dice.chance(0.1) else [],
            "customer": customer,
            "billingAddress": billed if dice.chance(0.98) else None,
            "shippingAddress": sent_to if dice.chance(0.92) else None,
        }

    def _customer(self, dice: Dice) -> Node | None:
        # Who came later has ordered nothing: else orders would change without being touched.
        if not self._customers_then or dice.chance(0.1):
            return None
        number = self._customers.first + dice.below(self._customers_then)
        there = self._customers.has(number)
        return {"__typename": "Customer", "id": ids.gid("Customer", number)} if there else None

    def _line(self, dice: Dice) -> _Line:
        # A few goods are sold often, most of them rarely; what came later is not in older orders.
        products = self._products
        number = products.table.first + min(dice.below(products.original), dice.below(products.original))
        known = products.outline(number)
        quantity = dice.pick((1, 1, 1, 2, 3, 5))
        unit = known.bani - (100 * dice.below(4) if known.bani > 1000 else 0)  # noqa: PLR2004 - 10 lei
        discount = unit * quantity // 10 if dice.chance(0.15) else 0
        returned = 1 if dice.chance(0.04) else 0
        return _Line(number, known.title, known.sku, quantity, returned, unit, discount)

    def _line_node(self, line: _Line, number: int, sums: "_Sums") -> Node:
        table = self._products.table
        there = table.has(line.product)
        variant = ids.gid("ProductVariant", line.product * ids.SLOTS)
        return {
            "__typename": "LineItem",
            "id": ids.gid("LineItem", number),
            "name": line.title,
            "title": line.title,
            "sku": line.sku,
            "quantity": line.quantity,
            "currentQuantity": line.quantity - line.returned,
            "variant": {"__typename": "ProductVariant", "id": variant}
            if there and variant not in self._overlay.gone
            else None,
            "product": {"__typename": "Product", "id": ids.gid("Product", line.product)} if there else None,
            "originalUnitPriceSet": sums.bag(line.unit),
            "discountedTotalSet": sums.bag(line.total),
            "taxLines": [{"title": "TVA", "rate": sums.rate, "priceSet": sums.bag(sums.tax_of(line.total))}],
        }


def _state(dice: Dice) -> str:
    draw = dice.below(100)
    for limit, state in ((3, "cancelled"), (6, "pending"), (8, "authorized"), (20, "unfulfilled"), (24, "partial")):
        if draw < limit:
            return state
    return "done"


class _Sums:
    """The money of an order, and what follows from its state."""

    def __init__(self, lines: list[_Line], shipping: int, created: int, state: str, currency: str) -> None:
        self._lines = lines
        self._shipping = shipping
        self._created = created
        self._state = state
        self._currency = currency
        self.rate = 0.21 if created >= _VAT_CHANGE else 0.19

    def tax_of(self, bani: int) -> int:
        """The VAT that is in an amount."""
        percent = round(self.rate * 100)
        return bani * percent // (100 + percent)

    def bag(self, bani: int) -> Node:
        """A `MoneyBag`: the amount in the shop's money, and as the customer saw it."""
        shown = bani if self._currency == "RON" else bani // _LEI_PER_EURO
        return {"shopMoney": money(bani), "presentmentMoney": money(shown, self._currency)}

    def fields(self, number: int) -> Node:
        """The order's fields about money and state."""
        subtotal = sum(line.total for line in self._lines)
        total = subtotal + self._shipping
        paid = self._state not in {"pending", "authorized"}
        refunded = 0
        if self._state == "cancelled":
            refunded = total
        elif paid:
            refunded = sum(line.total * line.returned // line.quantity for line in self._lines)
        done = self._created + _DONE_AFTER
        return {
            "cancelledAt": stamp(done) if self._state == "cancelled" else None,
            "cancelReason": "CUSTOMER" if self._state == "cancelled" else None,
            "closedAt": stamp(done) if self._state == "done" else None,
            "displayFinancialStatus": self._financial(total, refunded),
            "displayFulfillmentStatus": {"done": "FULFILLED", "partial": "PARTIALLY_FULFILLED"}.get(
                self._state, "UNFULFILLED"
            ),
            "currencyCode": "RON",
            "presentmentCurrencyCode": self._currency,
            "totalPriceSet": self.bag(total),
            "subtotalPriceSet": self.bag(subtotal),
            "totalTaxSet": self.bag(self.tax_of(total)),
            "totalDiscountsSet": self.bag(sum(line.discount for line in self._lines)),
            "totalShippingPriceSet": self.bag(self._shipping),
            "currentTotalPriceSet": self.bag(total - refunded),
            "totalRefundedSet": self.bag(refunded),
            "refunds": self._refunds(number, refunded, done),
            "transactions": self._transactions(number, total, refunded, done),
            "fulfillments": self._fulfillments(number, done),
        }

    def _financial(self, total: int, refunded: int) -> str:
        if self._state in {"pending", "authorized"}:
            return self._state.upper()
        if refunded == 0:
            return "PAID"
        return "REFUNDED" if refunded == total else "PARTIALLY_REFUNDED"

    def _refunds(self, number: int, refunded: int, moment: int) -> list[Node]:
        if not refunded:
            return []
        when = stamp(moment)
        node = {"__typename": "Refund", "id": ids.gid("Refund", number), "createdAt": when, "updatedAt": when}
        return [{**node, "note": None, "totalRefundedSet": self.bag(refunded)}]

    def _transactions(self, number: int, total: int, refunded: int, moment: int) -> list[Node]:
        kinds = {"pending": ("SALE", "PENDING"), "authorized": ("AUTHORIZATION", "SUCCESS")}
        kind, status = kinds.get(self._state, ("SALE", "SUCCESS"))
        every = [(kind, status, self._created, total)]
        if refunded:
            every.append(("REFUND", "SUCCESS", moment, refunded))
        return [
            {
                "__typename": "OrderTransaction",
                "id": ids.gid("OrderTransaction", number * ids.SLOTS + slot),
                "kind": kind,
                "status": status,
                "processedAt": stamp(when),
                "amountSet": self.bag(amount),
            }
            for slot, (kind, status, when, amount) in enumerate(every)
        ]

    def _fulfillments(self, number: int, moment: int) -> list[Node]:
        if self._state not in {"done", "partial"}:
            return []
        when = stamp(moment)
        node = {"__typename": "Fulfillment", "id": ids.gid("Fulfillment", number), "status": "SUCCESS"}
        return [{**node, "createdAt": when, "updatedAt": when}]


def _assessments(dice: Dice) -> list[Node]:
    """What Shopify thinks of an order, and now and then an app as well; of an old one nobody says anything."""
    if dice.chance(0.1):
        return []
    levels = [dice.pick(("LOW",) * 8 + ("MEDIUM", "HIGH", "NONE", "PENDING"))]
    if dice.chance(0.2):
        levels.append(dice.pick(("LOW", "MEDIUM", "HIGH")))
    return [{"riskLevel": level} for level in levels]
