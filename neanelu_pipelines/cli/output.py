"""What a command prints: one JSON object, or words and tables for a person; progress apart from both.

Belongs here: the two shapes of output. Does not belong here: what there is to say.

Results go to stdout, progress and errors to stderr, so that `--json` can always be piped. Progress is a live line on
a terminal and plain lines elsewhere.
"""

import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

_PLAIN_WIDTH = 160

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]


class Output:
    """Where a command's words go. With `as_json` only `result` writes to stdout."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)
        if not self._out.is_terminal:
            # A file or a pipe has no width; a table should not be folded for one.
            self._out.width = _PLAIN_WIDTH

    def say(self, text: str = "") -> None:
        """A line for a person."""
        if not self.as_json:
            self._out.print(text, markup=False)

    def heading(self, text: str) -> None:
        """A line that stands out."""
        if not self.as_json:
            self._out.print(text, style="bold", markup=False)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table for a person; numbers stand to the right."""
        if self.as_json:
            return
        table = Table(box=None, pad_edge=False, header_style="dim")
        for index, column in enumerate(columns):
            numeric = all(isinstance(row[index], (int, float)) or row[index] is None for row in rows)
            table.add_column(column, justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_cell(value) for value in row))
        self._out.print(table)

    def result(self, result: Mapping[str, Any]) -> None:
        """The one object of `--json`; nothing otherwise."""
        if self.as_json:
            sys.stdout.write(json.dumps(result, ensure_ascii=False, default=_plain) + "\n")
            sys.stdout.flush()

    def error(self, message: str) -> None:
        """What went wrong, for a person."""
        self._err.print(f"neanelu: {message}", style="red", markup=False)

    @contextmanager
    def progress(self, text: str) -> Iterator["Progress"]:
        """A line that says what is being done, while it is being done."""
        if self._err.is_terminal:
            with self._err.status(text) as status:
                yield Progress(self._err, status)
        else:
            self._err.print(f"{text} …", markup=False)
            yield Progress(self._err, None)


class Progress:
    """What is being done now."""

    def __init__(self, console: Console, status: Status | None) -> None:
        self._console = console
        self._status = status
        self._said = ""

    def update(self, text: str) -> None:
        """Something else is being done now; what was said last is not said again."""
        if text == self._said:
            return
        self._said = text
        if self._status is not None:
            self._status.update(text)
        else:
            self._console.print(f"{text} …", markup=False)


def this_command() -> str:
    """What a person types in this folder to run this `neanelu`: its name, if the shell finds it by that, or its path.

    A virtual environment that was not activated is not on the PATH.
    """
    ours = Path(sys.executable).with_name("neanelu")
    found = shutil.which("neanelu")
    if found is not None and ours.is_file() and Path(found).samefile(ours):
        return "neanelu"
    if not ours.is_file():
        return shlex.join([sys.executable, "-m", "neanelu_pipelines.cli.main"])
    below = ours.is_relative_to(Path.cwd())
    return shlex.quote(str(ours.relative_to(Path.cwd()) if below else ours))


def bytes_text(amount: float) -> str:
    """Bytes in the unit a person would choose (decimal: MB are 10^6)."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if amount >= size:
            return f"{amount / size:.1f} {unit}"
    return f"{amount:.0f} B"


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, (UUID, Path)):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")
