"""Who the embedded server runs as, and files that only their owner may read.

Belongs here: choosing the operating-system account (PostgreSQL refuses to run as root), running a program as it, and
writing a private file whole or not at all. Does not belong here: what is run, what is written.
"""

import errno
import os
import pwd
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neanelu_pipelines.errors import NeaneluError

# Tried in this order when root starts a server in a home that is root's own.
UNPRIVILEGED = ("postgres", "nobody")


class EmbeddedServerError(NeaneluError):
    """The embedded server cannot be installed, started, reached or stopped."""


class NoAccountError(EmbeddedServerError):
    """Root asks for a server and the machine has no account that it could run as."""


@dataclass(frozen=True)
class Account:
    """An operating-system account."""

    name: str
    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        """Whether this process already runs as it."""
        return self.uid == os.geteuid()

    def run(self, argv: Sequence[str | Path], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account, in / (our own folder may be closed to it), output captured."""
        return subprocess.run(
            argv,
            user=None if self.is_us else self.uid,
            group=None if self.is_us else self.gid,
            extra_groups=None if self.is_us else [],
            env=dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )

    def may_enter(self, folder: Path) -> bool:
        """Whether this account can reach what is in `folder`: asked of the system, which also knows of ACLs."""
        if self.is_us:
            return os.access(folder, os.X_OK)
        return self.run(["/bin/sh", "-c", 'test -x "$0"', folder], {"PATH": os.defpath}).returncode == 0

    def own(self, path: Path) -> None:
        """Give a file or folder to this account."""
        if not self.is_us:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def owner_of(path: Path) -> Account:
    """The account that a file or folder belongs to."""
    status = path.stat()
    try:
        name = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        name = str(status.st_uid)
    return Account(name, status.st_uid, status.st_gid)


def server_account(home: Path) -> Account:
    """Who runs the server of this home: ourselves; for root the home's owner, or an unprivileged account.

    Raises:
        NoAccountError: root, and none of the accounts exists.
    """
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    owner = owner_of(home)
    if owner.uid != 0:
        return owner
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise NoAccountError(
        "PostgreSQL does not run as root, and this machine has neither of the accounts "
        f"{' and '.join(UNPRIVILEGED)} to run it as: add one (useradd --system postgres), or run as another user."
    )


def write_whole(path: Path, text: str, *, owner: Account, mode: int) -> None:
    """Write a file so that a crash, a full disk or a reader at the same time sees the old one or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(handle, mode)
            if owner.uid != os.geteuid():
                os.fchown(handle, owner.uid, owner.gid)
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def explain(error: OSError) -> str:
    """What the system refused, as a sentence that says what to do."""
    where = error.filename or "the home"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"The disk is full ({where}): make room, then run the same command again. Nothing is lost."
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return (
            f"Not permitted: {where} ({error.strerror}). Run neanelu as the owner of that folder, "
            "or set NEANELU_HOME to a folder of your own."
        )
    return f"The embedded server's files cannot be used: {error}"
