"""The artifact store's folders: what lies there is a shop's data, its customers' among it, and nobody else's to read.

Belongs here: making folders. Does not belong here: what is put into them (`bulk`, `mirror.artifacts`).
"""

from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

_OWN_LEVELS = 3
"""The shop's folder, the resource's, and the pieces' in it; further up are folders that others may have to pass."""


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
