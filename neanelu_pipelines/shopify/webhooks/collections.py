"""A collection's webhook body as the line that the collections bulk query gives of the same collection.

Belongs here: names and shapes of REST to those of GraphQL. Does not belong here: checking values.

The body says nothing of the members. Rules and a picture that it does not carry are not known to be gone: collections
that are filled by hand never carry rules.
"""

from typing import Any

from neanelu_pipelines.shopify.webhooks.bodies import Body, Node, Reading, html, identity, reading, renamed, upper

_FIELDS = {"title": "title", "handle": "handle", "template_suffix": "templateSuffix", "updated_at": "updatedAt"}
_RULE = ("column", "relation")


def _read(body: Body) -> Reading:
    node = identity("Collection", body) | renamed(body, _FIELDS)
    if "body_html" in body:
        node["descriptionHtml"] = html(body["body_html"])
    if body.get("sort_order") is not None:
        node["sortOrder"] = _sort_order(body["sort_order"])
    if "rules" in body and "disjunctive" in body:
        rules = [_rule(rule) for rule in body["rules"]]
        node["ruleSet"] = {"appliedDisjunctively": body["disjunctive"], "rules": rules}
    if body.get("image") is not None:
        node["image"] = {"url": body["image"]["src"]}
    return Reading([node])


read_collection = reading("a collection", _read)
"""A body of collections/create and collections/update."""


def _sort_order(order: Any) -> Any:
    """REST cuts one of them short: `alpha-des`."""
    name = str(upper(order)).replace("-", "_")
    return "ALPHA_DESC" if name == "ALPHA_DES" else name


def _rule(rule: Body) -> Node:
    return {**{name: upper(rule[name]) for name in _RULE}, "condition": rule["condition"]}
