"""A customer's webhook body as the lines that the customers bulk query gives of the same customer.

Belongs here: names and shapes of REST to those of GraphQL. Does not belong here: checking values.

The body says nothing of consent to marketing, orders, amounts, metafields and the name to display; since 2025 it says
nothing of tags either.
"""

from neanelu_pipelines.shopify.webhooks.bodies import (
    Body,
    Node,
    Reading,
    address,
    gid,
    identity,
    reading,
    renamed,
    tag_list,
    upper,
)

_FIELDS = {
    "first_name": "firstName",
    "last_name": "lastName",
    "note": "note",
    "verified_email": "verifiedEmail",
    "tax_exempt": "taxExempt",
    "tax_exemptions": "taxExemptions",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
}


def _read(body: Body) -> Reading:
    node = identity("Customer", body) | renamed(body, _FIELDS)
    if "state" in body:
        node["state"] = upper(body["state"])
    if "email" in body:
        node["defaultEmailAddress"] = {"emailAddress": body["email"]} if body["email"] else None
    if "phone" in body:
        node["defaultPhoneNumber"] = {"phoneNumber": body["phone"]} if body["phone"] else None
    if "tags" in body:
        node["tags"] = tag_list(body["tags"])
    # Whoever has no address has no field for the default one.
    if "default_address" in body or body.get("addresses") == []:
        default = body.get("default_address")
        node["defaultAddress"] = _address(default) if default else None
    if "addresses" not in body:
        return Reading([node])
    addresses = [
        {"__typename": "MailingAddress", **_address(one), "__parentId": node["id"]} for one in body["addresses"]
    ]
    return Reading([node, *addresses], frozenset({("Customer", "MailingAddress")}))


read_customer = reading("a customer", _read)
"""A body of customers/create, customers/update and the other topics that carry the whole customer."""


def _address(node: Body) -> Node:
    """An address of the customer's book, with the GID that the bulk query gives it."""
    return {"id": f"{gid('MailingAddress', node['id'])}?model_name=CustomerAddress", **(address(node) or {})}
