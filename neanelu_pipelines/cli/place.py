"""Where this process runs, as far as process ids mean the same there: machine, boot, container.

Belongs here: naming the place and comparing names. Does not belong here: what is judged by it (`orchestra`).
"""

import hashlib
import socket
from contextlib import suppress
from pathlib import Path

_MACHINE = Path("/etc/machine-id")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESS_IDS = Path("/proc/self/ns/pid")


def place() -> str:
    """`<machine>.<boot>.<container>`, each a short hash. Without /proc the last two are the same everywhere."""
    machine = f"{socket.gethostname()} {_read(_MACHINE)}"
    container = ""
    with suppress(OSError):
        container = str(_PROCESS_IDS.stat().st_ino)
    return ".".join(map(_hashed, (machine, _read(_BOOT), container)))


def is_elsewhere(other: str) -> bool:
    """Whether a process of the place `other` may live though its id is unknown here.

    One of this machine before it was started anew does not: nobody else would ever say that it is gone.
    """
    ours = place()
    of_this_boot, _, _ = ours.rpartition(".")
    of_this_machine, _, _ = of_this_boot.partition(".")
    if not other.startswith(f"{of_this_machine}."):
        return True
    return other.startswith(f"{of_this_boot}.") and other != ours


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace").strip()
    return ""


def _hashed(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:8]
