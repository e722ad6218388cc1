"""REST's words in GraphQL's: what the bodies of all kinds have in common.

Belongs here: identity, names, enumerations, money and addresses, whatever row they are about. Does not belong here: any
one kind of row, and checking values, which staging does for every source alike.

What a body does not carry is left out, never null: the mirror keeps what it has of it. So lines of bodies that carry
different fields must not stand in one file: `Reading.shape` tells them apart.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from neanelu_pipelines.errors import NeaneluError

Node = dict[str, Any]
Body = Mapping[str, Any]

_ADDRESS = {
    "name": "name",
    "first_name": "firstName",
    "last_name": "lastName",
    "company": "company",
    "address1": "address1",
    "address2": "address2",
    "city": "city",
    "province": "province",
    "province_code": "provinceCode",
    "country": "country",
    "country_code": "countryCodeV2",
    "zip": "zip",
    "phone": "phone",
}


class BodyError(NeaneluError):
    """A body that is not what its topic says: trying again would read the same."""


BODY_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What Python raises over a body that is not what is expected."""
_GID = re.compile(r"(?P<plain>gid://shopify/(?P<kind>[A-Za-z]{1,50})/[0-9]{1,20})(?:\?inventory_item_id=[0-9]{1,20})?")
"""An inventory level is named by its item as well."""
_DIGITS = 60
"""An amount of money has fewer; written out, one with an exponent may take all memory."""


def decoded(text: str) -> Any:
    """A kept body.

    Raises:
        BodyError: PostgreSQL can hold it and Python cannot read it: a number of thousands of digits, or lists in lists.
    """
    try:
        return json.loads(text)
    except (RecursionError, ValueError) as error:
        raise BodyError("The body cannot be read: a number in it is too long, or it is nested too deeply.") from error


@dataclass(frozen=True)
class Reading:
    """A body as the lines that the resource's bulk query gives of the same row, the row's own line first."""

    lines: list[Node]
    whole: frozenset[tuple[str, str]] = frozenset()
    """(Parent's node type, node type) of the lines that the body carries all of: if there are none, there are none."""
    parts: frozenset[str] = frozenset()
    """GIDs of all the rows that stand under the row, where the body names them all: others are gone."""
    apart: tuple["Reading", ...] = ()
    """The same row with lines under it that carry other fields: each needs a file of its own, after this one."""

    @property
    def gid(self) -> str:
        """The GID of the row that the body is about."""
        return str(self.lines[0]["id"])

    @property
    def version(self) -> datetime | None:
        """Shopify's own time of the row's change, where the body tells it."""
        try:
            said = datetime.fromisoformat(self.lines[0]["updatedAt"])
        except (KeyError, TypeError, ValueError):
            return None
        return said if said.tzinfo else None

    def named(self, key: str) -> "Reading":
        """The same, with the event's key in the row's line."""
        first, *rest = self.lines
        return replace(self, lines=[{**first, "webhookKey": key}, *rest])

    @property
    def shape(self) -> object:
        """What the body carries: only bodies of one shape may share a file."""
        return self.whole, frozenset((line["__typename"], *sorted(line)) for line in self.lines)


def reading(what: str, read: Callable[[Any], Reading]) -> Callable[[Any], Reading]:
    """The same function, which says of every body that it cannot read that it is not `what`'s (a product).

    The result raises BodyError.
    """

    def guarded(body: Any) -> Reading:
        try:
            return read(body)
        except BODY_FAULTS as error:
            raise BodyError(f"The body is not {what}'s: {_wrong(error)}.") from error

    return guarded


def _wrong(error: Exception) -> str:
    """What is wrong with a body, in words of ours: Python's may quote the value."""
    if isinstance(error, KeyError):
        return f"it has no {str(error.args[0])[:50]!r} where there has to be one"
    if isinstance(error, ArithmeticError):
        return "an amount in it cannot be reckoned with"
    if isinstance(error, ValueError):
        return "a value in it is not a number or text of the kind that stands there"
    return "a value in it is not of the shape that stands there"


def encoded(lines: Iterable[Node]) -> bytes:
    """The lines as JSONL."""
    return b"".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines)


def identity(kind: str, node: Body) -> Node:
    """A line's node type and GID, with the number in it."""
    found = gid_of(kind, node)
    return {"__typename": kind, "id": found, "legacyResourceId": found.rpartition("/")[2]}


def gid_of(kind: str, node: Body) -> str:
    """The GID, as it is said: numbers beyond 2^53 may have gone through a float on their way.

    Raises:
        BodyError: it is that of another kind of node, or none.
    """
    said = node.get("admin_graphql_api_id")
    found = str(said if said is not None else gid(kind, node["id"]))
    match = _GID.fullmatch(found)
    if match is None or match["kind"] != kind:
        # What is no GID may be anything: somebody's address, too.
        named = match["plain"] if match else "something else"
        raise BodyError(f"The body has {named} where the id of its {kind} has to be.")
    return found


def gid(kind: str, number: Any) -> str:
    """The GID of a number.

    Raises:
        ValueError: it is no number.
    """
    return f"gid://shopify/{kind}/{int(number)}"


def reference(kind: str, number: Any) -> Node | None:
    """A node that is only named, by its number; None where there is none."""
    return None if number is None else {"id": gid(kind, number)}


def renamed(node: Body, names: Mapping[str, str]) -> Node:
    """The fields that `node` carries, under GraphQL's names."""
    return {name: node[theirs] for theirs, name in names.items() if theirs in node}


def upper(value: Any) -> Any:
    """A value of an enumeration: REST writes it in lower case."""
    return value.upper() if isinstance(value, str) else value


def tag_list(tags: Any) -> list[str]:
    """REST writes tags as one text; a tag cannot hold a comma."""
    said = tags.split(",") if isinstance(tags, str) else tags
    return [tag.strip() for tag in said if tag.strip()]


def html(text: Any) -> Any:
    """REST says null where GraphQL has the empty text."""
    return text or ""


def money_bag(bag: Body | None) -> Node | None:
    """A price in the shop's own money and as the customer saw it."""
    if bag is None:
        return None
    return {"shopMoney": _money(bag["shop_money"]), "presentmentMoney": _money(bag["presentment_money"])}


def _money(money: Body) -> Node:
    return {"amount": amount(money["amount"]), "currencyCode": money["currency_code"]}


def amount(text: Any) -> Any:
    """`7.90` as `MoneyV2` writes it, `7.9`; what is no decimal number stays for staging to refuse."""
    try:
        number = Decimal(text)
    except (ArithmeticError, TypeError, ValueError):
        return text
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS:
        return text
    plain = format(number.normalize(), "f")
    return plain if "." in plain else f"{plain}.0"


def address(node: Body | None) -> Node | None:
    """A postal address. Where REST has the country's name apart, its `country` may be a code."""
    if node is None:
        return None
    named = {"country": node["country_name"]} if node.get("country_name") else {}
    return {**renamed(node, _ADDRESS), **named}
