"""The query of a whole resource, as both runs over a sandbox's shop ask it.

Belongs here: from a resource to its query, and back to the type of metaobjects. Does not belong here: asking.
"""

from neanelu_pipelines.shopify.documents import document, inlined

METAOBJECT_TYPES = ("producator", "ghid_plantare")
"""Those of which the sandbox's shops have some."""


def query_of(resource: str, kind: str | None = None) -> str:
    """The whole resource's query; of metaobjects, those of one type."""
    text = document(resource)
    return inlined(text, {"type": kind} if kind else {"search": None} if "$search" in text else {})


def kind_of(query: str) -> str | None:
    """The type of metaobjects that a query asks for; None where it asks for something else."""
    return next((kind for kind in METAOBJECT_TYPES if f'"{kind}"' in query), None)
