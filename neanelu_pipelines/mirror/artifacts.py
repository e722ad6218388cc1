"""The artifact store: the bytes that a load is made from, kept where every step can read them.

Belongs here: copying a source into the store while hashing it, finding the newest export in a shop's inbox. The
store is a folder or any fsspec URL. Does not belong here: what the bytes mean.
"""

import contextlib
import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import fsspec

from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.shopify.jsonl import ArtifactUnreadableError
from neanelu_pipelines.shopify.store import files_of, make_folder, missing_driver

_CHUNK_BYTES = 1024 * 1024
_SECRETS = re.compile(r"(?<=://)[^/?#]*@|[?#].*", re.DOTALL)
"""The parts of a URL that may open what it names: a login, and everything after its path."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_INBOX_ENDINGS = (".jsonl", ".jsonl.gz")


class EmptyInboxError(NeaneluError):
    """No source was named and none waits."""


@dataclass(frozen=True)
class Stored:
    """An artifact in the store."""

    path: str
    bytes: int
    sha256: str


def store(root: str, source: str, *, shop_domain: str, resource: str, run_id: UUID) -> Stored:
    """Copy `source` (a path or an fsspec URL) into the store under `root`.

    The copy gets its name when it is whole: a process that dies leaves no half artifact that looks like one. Whoever
    is only interrupted leaves none at all.

    Raises:
        ArtifactUnreadableError: the source cannot be read.
    """
    ending = ".jsonl.gz" if shown(source).endswith(".gz") else ".jsonl"
    target = f"{root.rstrip('/')}/{shop_domain}/{resource}/{run_id}{ending}"
    filesystem, path = files_of(target)
    partial = f"{path}.partial"
    try:
        with fsspec.open(source, "rb") as reader:
            digest, size = _copy(reader, filesystem, partial)
    except BaseException as error:
        with contextlib.suppress(Exception):
            filesystem.rm(partial)
        if not isinstance(error, Exception):
            raise
        # Without the cause: its own words would show what is left out of ours.
        raise ArtifactUnreadableError(
            f"{shown(source)} cannot be copied into the artifact store: {_reason(error, source)}."
        ) from None
    filesystem.mv(partial, path)
    return Stored(target, size, digest)


def shown(source: str) -> str:
    """A source as it may be shown and kept: without the signature in a URL's query and without a login."""
    return _SECRETS.sub("", source) if "://" in source else source


def _reason(error: Exception, source: str) -> str:
    """What went wrong, in words that hold no secret, however whoever raised it has quoted the URL anew."""
    if isinstance(error, ImportError):
        return missing_driver(source, error)
    if shown(source) == source:
        return _URL.sub(lambda url: shown(url[0]), str(error))
    status, number = getattr(error, "status", None), getattr(error, "errno", None)
    said = f", HTTP status {status}" if isinstance(status, int) else ""
    said += f", {os.strerror(number)}" if isinstance(number, int) else ""
    return type(error).__name__ + said


def _copy(reader: Any, filesystem: Any, path: str) -> tuple[str, int]:
    make_folder(filesystem, path.rsplit("/", 1)[0])
    digest = hashlib.sha256()
    size = 0
    with filesystem.open(path, "wb") as writer, ThreadPoolExecutor(1, thread_name_prefix="hash") as beside:
        while chunk := reader.read(_CHUNK_BYTES):
            hashed = beside.submit(digest.update, chunk)
            writer.write(chunk)
            hashed.result()
            size += len(chunk)
    return digest.hexdigest(), size


def newest_in_inbox(root: str, *, shop_domain: str, resource: str) -> str:
    """The newest export that waits in the shop's inbox, `<store>/inbox/<shop>/<resource>*.jsonl[.gz]`.

    Raises:
        EmptyInboxError: none does.
    """
    inbox = f"{root.rstrip('/')}/inbox/{shop_domain}"
    filesystem, path = files_of(inbox)
    found = [file for file in filesystem.glob(f"{path}/{resource}*") if str(file).endswith(_INBOX_ENDINGS)]
    if not found:
        raise EmptyInboxError(
            f"No export of {resource} of {shop_domain} was named, and none waits in {inbox}: "
            f"put a {resource}….jsonl there, or name one in the run's configuration (`source`)."
        )
    newest = max(found, key=lambda file: (str(filesystem.modified(file)), file))
    return str(filesystem.unstrip_protocol(newest))
