"""The artifact store: what lies there is a shop's data, its customers' among it, and nobody else's to read.

Belongs here: opening it, making folders. Does not belong here: what is put into them (`bulk`, `mirror.artifacts`).
"""

from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem
from fsspec.utils import get_protocol

from neanelu_pipelines.errors import NeaneluError

_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}

_OWN_LEVELS = 3
"""The shop's folder, the resource's, and the pieces' in it; further up are folders that others may have to pass."""


class MissingDriverError(NeaneluError):
    """The package that speaks to a store is not installed."""


def files_of(url: str) -> tuple[Any, str]:
    """The file system of a path or an fsspec URL, and the path in it.

    Raises:
        MissingDriverError: its package is not installed.
    """
    try:
        files, path = url_to_fs(url)
    except ImportError as error:
        raise MissingDriverError(f"The artifact store cannot be opened: {missing_driver(url, error)}.") from None
    return files, str(path)


def missing_driver(url: str, error: ImportError) -> str:
    """What to install for a URL whose package is missing."""
    extra = _EXTRAS.get(get_protocol(url.rpartition("::")[2]))
    return f"it needs an extra: pip install 'neanelu-pipelines[{extra}]'" if extra else str(error)


def make_folder(files: Any, folder: str) -> None:
    """Make a folder of the store if it is not there; on a disk, one that only its owner may enter.

    An object store knows no folders and has rights of its own.
    """
    if not isinstance(files, LocalFileSystem):
        files.makedirs(folder, exist_ok=True)
        return
    path = Path(folder)
    missing = [level for level in (path, *path.parents) if not level.exists()]
    for depth, level in reversed(list(enumerate(missing))):
        level.mkdir(mode=0o700 if depth < _OWN_LEVELS else 0o777, exist_ok=True)
