"""What runs have put into the artifact store, found by their names: each bears the id of its run.

And, likewise, the answers to people who asked what is known of them.

Belongs here: the names, and the folders in which they are, each of which is listed once. Does not belong here: which
of them may go (`expiry`).
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from neanelu_pipelines.mirror.resources import RESOURCES
from neanelu_pipelines.shopify.store import files_of

_NAME = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.partial)?\.jsonl(?:\.gz)?(?:\.partial|(\.pieces))?"
)
"""An artifact, what was kept of a result that is none, and both on their way: half a copy, a folder of pieces."""
ANSWERS = "privacy"
"""The folder of a shop in which the answers are."""
_ANSWER = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json(?:\.partial)?")
_INBOX = "inbox"


@dataclass(frozen=True)
class Found:
    """Something of a run."""

    run_id: UUID
    name: str
    is_pieces: bool
    """A folder, with the pieces of a result in it."""


def folders(artifact_root: str, named: Collection[str] = RESOURCES) -> Iterator[str]:
    """The folders of the store, as paths or URLs, in which runs put files: one for each shop and resource.

    `named`: others, by their names in the folder of a shop. Those that are there, not those that should be: a shop may
    have had another name.
    """
    root = artifact_root.rstrip("/")
    files, _ = files_of(root)
    files.invalidate_cache()
    for shop in _listed(root):
        if shop != _INBOX:
            yield from (f"{root}/{shop}/{name}" for name in _listed(f"{root}/{shop}") if name in named)


def found_in(folder: str) -> list[Found]:
    """What runs have put into a folder."""
    matches = [match for name in _listed(folder, of="any") if (match := _NAME.fullmatch(name))]
    return [Found(UUID(match[1]), match[0], is_pieces=match[2] is not None) for match in matches]


def answers_in(folder: str) -> list[tuple[UUID, str]]:
    """The answers in a folder, and what was begun of one: the id of the request's record, and the name."""
    matches = [match for name in _listed(folder, of="any") if (match := _ANSWER.fullmatch(name))]
    return [(UUID(match[1]), match[0]) for match in matches]


def _listed(folder: str, of: str = "directory") -> list[str]:
    """The names in a folder; none if it is not there."""
    files, path = files_of(folder)
    try:
        entries = files.ls(path, detail=True)
    except FileNotFoundError:
        return []
    return [str(one["name"]).rstrip("/").rsplit("/", 1)[-1] for one in entries if of in ("any", one["type"])]
