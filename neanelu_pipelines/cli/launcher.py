"""Runs that live in a command's own process: the tags that say which, and whether that process is gone.

Belongs here: writing these tags and judging by them. Does not belong here: reading and ending runs (`orchestra`).
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from neanelu_pipelines.cli.place import is_elsewhere, place

LAUNCHER_TAG = "neanelu/launcher"
"""`<pid>:<its start>:<run id>`, so that a dead one is told from a live one.

The run's own id, because running it again in the UI copies the tag to a run that is the daemon's.
"""

PLACE_TAG = "neanelu/launcher-place"
"""Where that process lives. A tag of its own: a release that knows only the other must still be able to read that."""

START_TAG = "neanelu/launcher-start"
"""Its start in ticks since the boot: the time of day of the start moves on Linux when the machine's clock is set."""


def launcher_tags(run_id: str) -> dict[str, str]:
    """The tags of a run that this process begins."""
    process = psutil.Process()
    tags = {LAUNCHER_TAG: f"{process.pid}:{process.create_time():.0f}:{run_id}", PLACE_TAG: place()}
    ticks = _ticks(process.pid)
    return {**tags, START_TAG: ticks} if ticks else tags


def is_of_a_command(tags: Mapping[str, str], run_id: str) -> bool:
    """Whether a command runs it in its own process; else it is a daemon's."""
    return tags.get(LAUNCHER_TAG, "").endswith(f":{run_id}")


def was_killed(tags: Mapping[str, str], run_id: str, *, shared: bool) -> bool:
    """Whether a command ran it in its own process, and that process is gone.

    If other machines or containers may use the database (`shared`), of theirs nothing is known here.
    """
    if not is_of_a_command(tags, run_id):
        return False
    if shared and PLACE_TAG in tags and is_elsewhere(tags[PLACE_TAG]):
        return False
    pid, started, _ = tags[LAUNCHER_TAG].split(":")
    try:
        process = psutil.Process(int(pid))
        if process.status() == psutil.STATUS_ZOMBIE:  # Only its remains: nobody asked how it ended.
            return True
        if START_TAG in tags and (ticks := _ticks(process.pid)):
            return ticks != tags[START_TAG]
        return f"{process.create_time():.0f}" != started
    except (psutil.NoSuchProcess, ValueError):
        return True


def _ticks(pid: int) -> str:
    """The process's start since the boot, as /proc has it; empty where there is none."""
    with suppress(OSError):
        # The name before it stands in brackets, and may hold any.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    return ""
