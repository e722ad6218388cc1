"""The embedded server's place in NEANELU_HOME: its folder, locks, format, passwords and port.

Belongs here: what is kept there and who may read it. Does not belong here: PostgreSQL itself (`cluster`, `embedded`).

In the home: `server.lock` (one command at a time), and `server/` with
    data/             the databases                    passwords.json    one random password per login, 0600
    postgresql-…/     the programs                     port.json         the port in use
    log/              a week of logs                   alive             locked by every process of a running server
    postgresql.conf   written at each start            format            so that an older neanelu keeps away
`server` is a link to a folder in /var/lib/neanelu where root's home is closed to the account that the server runs as.
"""

import errno
import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neanelu_pipelines.database.account import (
    Account,
    EmbeddedServerError,
    owner_of,
    server_account,
    write_whole,
)

FORMAT = 1
POSTGRES_VERSION = "18"
# Where the server's files go when root's home lies in a folder that other accounts cannot enter (/root, say).
ELSEWHERE = Path("/var/lib/neanelu")
PATIENCE = 600.0  # seconds; a crash recovery may take minutes


class NewerHomeError(EmbeddedServerError):
    """The home was made by a newer version, or its data are another PostgreSQL's."""


class ServerHome:
    """The files of one home's server. What it makes belongs to the home's owner, but for what PostgreSQL writes."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self._link = self.home / "server"

    @property
    def exists(self) -> bool:
        """Whether a server was ever begun here."""
        return self._link.exists()

    @property
    def folder(self) -> Path:
        """Where the server's files really are."""
        return self._link.resolve()

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The folder of PostgreSQL's logs."""
        return self.folder / "log"

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Hold the home's lock: one command starts or stops its server at a time; others wait for it."""
        self.home.mkdir(parents=True, exist_ok=True)
        handle = self._open_lock(self.home / "server.lock")
        try:
            deadline = time.monotonic() + PATIENCE
            while not locked(handle):
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"Another neanelu command has been starting or stopping the server of {self.home} for "
                        f"{PATIENCE / 60:.0f} minutes. End that command, then run this one again."
                    )
                time.sleep(0.02)
            yield
        finally:
            os.close(handle)

    def open_alive(self) -> int:
        """A file descriptor of the file that the server's processes hold locked. The caller closes it."""
        return self._open_lock(self.folder / "alive")

    def refuse_newer(self) -> None:
        """Look, and touch nothing.

        Raises:
            NewerHomeError: this version must not use this home.
        """
        made = read(self.folder / "format")
        if made and (not made.isdecimal() or int(made) > FORMAT):
            raise NewerHomeError(
                f"{self.home} was made by a newer neanelu (format {made}; this one knows {FORMAT}). Nothing was "
                "changed: install that version, or set NEANELU_HOME to another folder."
            )
        version = read(self.data / "PG_VERSION")
        if version and version != POSTGRES_VERSION:
            raise NewerHomeError(
                f"The data in {self.data} are those of PostgreSQL {version}, and this neanelu brings "
                f"{POSTGRES_VERSION}. Nothing was changed: use the neanelu that made them, or set NEANELU_HOME to "
                "another folder."
            )

    def refuse_without_passwords(self) -> None:
        """Say that the way into the data is lost, instead of making up passwords that do not open them.

        Raises:
            EmbeddedServerError: there are data, and not the password of their administrator.
        """
        path = self.folder / "passwords.json"
        if self.data.exists() and "postgres" not in json.loads(read(path) or "{}"):
            raise EmbeddedServerError(
                f"{path} is gone, and with it the passwords of the data beside it; the data are whole. Put back a copy "
                'of it, or a new one that says {"postgres": "…"} after giving that login this password with the '
                f"postgres --single -D {self.data} postgres of the programs beside it."
            )

    def account(self) -> Account:
        """Who runs this home's server: who has done so before, or who should."""
        return owner_of(self.data) if self.data.exists() and os.geteuid() == 0 else server_account(self.home)

    def make(self, account: Account) -> None:
        """Make the folder, where `account` can reach it: whole or not at all.

        Raises:
            EmbeddedServerError: it was there and is gone, or is out of the account's reach.
        """
        if not self._link.exists() and not self._link.is_symlink():
            self._make_anew(account)
        if not self._link.exists():
            raise EmbeddedServerError(
                f"{self._link} leads to {self.folder}, which is gone, and the data with it. Bring that folder back, or "
                f"remove the link to begin with an empty server."
            )
        if not account.may_enter(self.folder):
            raise EmbeddedServerError(
                f"The server runs as {account.name}, who cannot enter {self.folder}: open the folders above it "
                f"(chmod o+x), or set NEANELU_HOME to a folder elsewhere."
            )

    def _make_anew(self, account: Account) -> None:
        for leftover in self.home.glob(".server-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        owner = owner_of(self.home)
        inside = account.may_enter(self.home)
        if not inside:
            ELSEWHERE.mkdir(parents=True, exist_ok=True)
            ELSEWHERE.chmod(0o711)
        made = Path(tempfile.mkdtemp(prefix=".server-", dir=self.home if inside else ELSEWHERE))
        made.chmod(0o700 if account.uid == owner.uid else 0o711)
        write_whole(made / "format", f"{FORMAT}\n", owner=owner, mode=0o644)
        (made / "log").mkdir(mode=0o700)
        account.own(made / "log")
        if inside:
            owner.own(made)
            made.rename(self._link)
        else:
            # Its name says whose it is to whoever finds it there.
            named = made.with_name(f"{self.home.parent.name}-{made.name.removeprefix('.server-')}")
            made.rename(named)
            self._link.symlink_to(named)

    def password(self, login: str) -> str:
        """The password of one of the server's logins, made up when it is first asked for."""
        path = self.folder / "passwords.json"
        known: dict[str, str] = json.loads(read(path) or "{}")
        if login not in known:
            known[login] = secrets.token_urlsafe(24)
            write_whole(path, json.dumps(known, indent=2) + "\n", owner=owner_of(self.home), mode=0o600)
        return known[login]

    def kept_port(self, wanted: int) -> int:
        """The port of last time, unless another one is wanted since."""
        kept = json.loads(read(self.folder / "port.json") or "{}")
        return int(kept["port"]) if kept.get("wanted") == wanted else wanted

    def keep_port(self, wanted: int, port: int) -> None:
        """Remember that `port` is used where `wanted` was asked for."""
        text = json.dumps({"wanted": wanted, "port": port}) + "\n"
        write_whole(self.folder / "port.json", text, owner=owner_of(self.home), mode=0o644)

    def _open_lock(self, path: Path) -> int:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            owner = owner_of(self.home)
            os.fchown(handle, owner.uid, owner.gid)
        return handle


def locked(handle: int, *, shared: bool = False) -> bool:
    """Take the lock on an open file if nobody has it; whether we have it now.

    `shared` is for who only asks whether it is free: others who ask at the same moment get the same answer.
    """
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True


def read(path: Path) -> str | None:
    """A small file's text without the space around it; None if there is no such file."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
