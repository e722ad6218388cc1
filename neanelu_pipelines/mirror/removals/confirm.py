"""Asking Shopify whether something is really gone: `nodes(ids)` answers null for what it does not have.

Belongs here: the question and whether its answer is to be believed. Does not belong here: what follows from it.
"""

from collections.abc import Sequence

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.bulk.exports import Asks
from neanelu_pipelines.shopify.documents import document
from neanelu_pipelines.shopify.faults import AccessDenied, ShopClosed, ShopMoved, TokenRefused

CANNOT_ASK = (AccessDenied, ShopClosed, ShopMoved, TokenRefused)
"""What Shopify says of one shop and its token: no other shop's matter, and the same until a person does something."""
_PAGE = 250


class DoubtfulAnswerError(NeaneluError):
    """Shopify's answer cannot be about these rows."""


def really_gone(client: Asks, domain: str, gids: Sequence[str], witness: str | None, scope: str | None) -> set[str]:
    """Those of the GIDs that Shopify does not have any more.

    Args:
        client: the shop's.
        domain: whose rows they are: another shop would have none of them.
        gids: what may be gone.
        witness: something of the same kind that the shop has: a token that may not see this kind sees it neither.
        scope: without it the token sees a part of this kind only (`Resource.whole_with`), so the witness says nothing.

    Raises:
        DoubtfulAnswerError: the answer is another shop's, does not know the witness either, or is given without the
            scope.
        ShopifyFault: as the client says.
    """
    gone: set[str] = set()
    page = _PAGE - 1 if witness else _PAGE
    for start in range(0, len(gids), page):
        asked = [*gids[start : start + page], *([witness] if witness else [])]
        reply = client.execute(document("operations/nodes_by_id"), {"ids": asked})
        found = {node["id"] for node in reply.data["nodes"] if node}
        answered_by = str(reply.data["shop"]["myshopifyDomain"])
        if answered_by.lower() != domain.lower():
            raise DoubtfulAnswerError(f"{answered_by} answered instead of {domain}: nothing is removed on its word.")
        if len(reply.data["nodes"]) != len(asked) or not found <= set(asked):
            raise DoubtfulAnswerError(f"{domain} did not answer what it was asked: nothing is removed on its word.")
        # Said by the same answer: what the token could see a minute ago is nothing to go by.
        if scope and scope not in {given["handle"] for given in reply.data["currentAppInstallation"]["accessScopes"]}:
            raise DoubtfulAnswerError(
                f"The access token of {domain} lost the scope {scope}: what it does not see need not be gone, and "
                "nothing is removed. Give it the scope; the next export is looked at anew."
            )
        if witness and witness not in found:
            raise DoubtfulAnswerError(
                f"{domain} says that {witness} is gone, which its own export holds. Either the access token may not "
                "see rows of this kind, or it went this minute; nothing is removed. The next export is looked at anew."
            )
        gone |= set(asked) - found
    return gone
