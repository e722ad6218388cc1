r"""Whom a redaction is about, and how that is found in a text, however it is written there.

Belongs here: the patterns, for PostgreSQL and for files. Does not belong here: searching.

A GID is found by its number (in JSON its slashes may be `\/`), an email in any case and with `\u0040` for `@`, a
telephone by its last nine digits, however they are grouped. A number of fewer than twelve digits is sought only behind
the name of its kind (an order's also behind REST's `"order_id":`): standing alone it could be anything, a barcode or an
article's number.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from neanelu_pipelines.errors import NeaneluError

_SHORT_NUMBER = 12
_PHONE_DIGITS = 9
_FEWEST_DIGITS = 6
_SLASH = r"(?:\\*/)"
_BEHIND_ORDER = rf'order(?:s?{_SLASH}+|s?_?id\\*"\s*:\s*\\*"?)'
"""`order/`, or a key such as REST's `"order_id":`."""
_BEFORE_NUMBER, _AFTER_NUMBER = r"(?<![0-9a-z_/.-])", r"(?![0-9a-z_-]|\.[0-9])"
ORDER = rf"{_BEHIND_ORDER}([0-9]+)"
"""An order of any number, wherever it is named."""
ORDER_ALONE = rf"{_BEFORE_NUMBER}([0-9]{{{_SHORT_NUMBER},}}){_AFTER_NUMBER}"
"""What may be an order's number, standing alone."""
ORDER_EITHER = rf"(?:{_BEHIND_ORDER}|{_BEFORE_NUMBER}(?=[0-9]{{{_SHORT_NUMBER},}}{_AFTER_NUMBER}))([0-9]+)"
"""Both, in one part."""
_LONGEST_ADDRESS = 254
_ADDRESS = re.compile(r"[^\s@\"'<>()\[\],;:\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]")


_NOBODY = "The request names neither the customer's id nor what can be an email address."


class SubjectError(NeaneluError):
    """A request that does not say whom it is about."""


@dataclass(frozen=True)
class Customer:
    """A customer as the privacy webhooks name them. The repr shows none of it."""

    id: int | None
    email: str | None = None
    phone: str | None = None
    orders: tuple[int, ...] = ()
    """Numbers of the orders that the request names."""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    """What the rows that go say beside `email` and `phone`: sought as well, and no way to find more rows that go."""

    def __repr__(self) -> str:
        return "Customer(…)"

    @classmethod
    def of_payload(cls, payload: Any, *, orders: str) -> "Customer":
        """The customer of a webhook's body; `orders` is the field that names the orders.

        Raises:
            SubjectError: it names nobody.
        """
        try:
            said: Mapping[str, Any] = payload["customer"]
            number = said.get("id")
            found = cls(
                id=int(number) if number is not None else None,
                email=str(said.get("email") or "").strip() or None,
                phone=str(said.get("phone") or "").strip() or None,
                orders=tuple(int(order) for order in payload.get(orders) or ()),
            )
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise SubjectError("The request does not say whose data it is about.") from error
        if found.id is None and found.address is None:
            raise SubjectError(_NOBODY)
        return found

    @property
    def address(self) -> str | None:
        """The email, if it can be one: any other text would be found in what is nobody's address."""
        return self.email if self.email and _is_address(self.email) else None

    @property
    def gid(self) -> str | None:
        """The GID of the customer."""
        return None if self.id is None else f"gid://shopify/Customer/{self.id}"

    def patterns(self) -> dict[str, str]:
        """What to look for, by name: one regular expression each, for PostgreSQL and Python alike; orders are apart.

        Raises:
            SubjectError: it would be found everywhere.
        """
        found: dict[str, str] = {}
        if self.id is not None:
            found["id"] = number_pattern("customers?", self.id)
        if self.address:
            found["email"] = _email_pattern(self.address)
        if not found:
            raise SubjectError(_NOBODY)
        if self.phone and (phone := _phone_pattern(self.phone)):
            found["phone"] = phone
        emails = {_email_pattern(email) for email in self.emails if _is_address(email)} - {found.get("email")}
        phones = {pattern for phone in self.phones if (pattern := _phone_pattern(phone))} - {found.get("phone")}
        found |= {f"email {place}": pattern for place, pattern in enumerate(sorted(emails), 2)}
        return found | {f"phone {place}": pattern for place, pattern in enumerate(sorted(phones), 2)}

    def as_json(self) -> dict[str, Any]:
        """For the record, as long as the act is under way."""
        return {"id": self.id, "email": self.email, "phone": self.phone, "orders": list(self.orders)}

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> "Customer":
        """Of a record."""
        return cls(found["id"], found["email"], found["phone"], tuple(found["orders"]))


def shop_patterns(shop_id: UUID, domains: Sequence[str], number: int | None) -> dict[str, str]:
    """What to look for of a shop; `domains` are the one that it has and those that it had."""
    found = {
        "id": str(shop_id),
        "domain": rf"(?<![a-z0-9.-])(?:{'|'.join(map(_spelled, domains))})(?![a-z0-9-])",
    }
    if number is not None:
        found["number"] = number_pattern("shops?", number)
    return found


def number_pattern(kind: str, number: int) -> str:
    """A number of Shopify's: behind the name of its kind, or, if it is long enough to mean nothing else, alone."""
    named = rf"{kind}{_SLASH}+{number}(?![0-9])"
    if len(str(number)) < _SHORT_NUMBER:
        return named
    return rf"{named}|{_BEFORE_NUMBER}{number}{_AFTER_NUMBER}"


def whole(patterns: Mapping[str, str]) -> str:
    """All patterns as one."""
    return "|".join(f"(?:{pattern})" for pattern in patterns.values())


def hashed(key: str, *values: object) -> str:
    """Who it was about, so that it can be told again by whoever knows the key and all of the values.

    It hides only what cannot be guessed: the key stands beside it, so whoever reads both can try all that there is. A
    telephone (a thousand million possibilities) is found in minutes, and is never hashed; of an email address, a domain
    or an id a guess can be confirmed.
    """
    return hashlib.sha256("\n".join([key, *map(str, values)]).encode()).hexdigest()


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _email_pattern(address: str) -> str:
    local, _, domain = address.partition("@")
    return rf"(?<![a-z0-9._%+-]){_spelled(local)}(?:@|\\+u0040){_spelled(domain)}(?![a-z0-9-])"


def _spelled(text: str) -> str:
    """A text in lower case, each sign as itself or as JSON's escape of it."""
    return "".join(
        char if char.isascii() and char.isalnum() else rf"(?:{re.escape(char)}|\\+u{ord(char):04x})"
        for char in text.lower()
    )


def _phone_pattern(phone: str) -> str | None:
    digits = re.sub(r"\D", "", phone)
    if len(digits) < _FEWEST_DIGITS:
        return None
    between = "[^0-9a-z]{0,2}"
    last = between.join(digits[-_PHONE_DIGITS:])
    return rf"(?<![0-9/])(?:[0-9]{{1,4}}{between})?{last}(?![0-9])"
