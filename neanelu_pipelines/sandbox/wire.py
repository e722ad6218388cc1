"""Shopify's byte rules for a line of a bulk result.

Belongs here: how a node becomes bytes (spec/shopify.md, "The JSONL"). Does not belong here: which nodes there are.
"""

import json
from typing import Any


def escape(text: str) -> str:
    r"""The inside of a JSON string as Shopify writes it: `/` as `\/`, `&` as `\u0026`, diacritics as they are."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/").replace("&", "\\u0026")


def encode_line(node: dict[str, Any], parent: str | None = None) -> bytes:
    """One line: the node's keys in their order, `__parentId` (the GID of `parent`) last, compact, UTF-8, then LF.

    Neither `/` nor `&` has a meaning in JSON outside of strings, so replacing them in the whole line is safe.
    """
    if parent is not None:
        node = {**node, "__parentId": parent}
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":"))
    return text.replace("/", "\\/").replace("&", "\\u0026").encode() + b"\n"
