#!/usr/bin/env python3
"""From a fresh clone to the demo or the tests: makes .venv beside this file with the pinned packages, then runs them.

    python3 bootstrap.py demo      everything on this machine: server, schema, shops and their loads, a summary
    python3 bootstrap.py test      the whole suite (further arguments go to pytest)
    python3 bootstrap.py setup     the environment only

Needs Python 3.11 or newer and a package index; uses the standard library only, because nothing else is there yet.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
BIN = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
STAMP = ENVIRONMENT / ".installed-from"
EXTRAS = {"demo": "", "test": "[dev]", "setup": "[dev,bench]"}


def main() -> int:
    """Run the command named in the arguments; its exit status is ours."""
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    command, *rest = sys.argv[1:] or ["help"]
    if command not in EXTRAS:
        print(__doc__)
        return 0 if command in ("help", "-h", "--help") else 2
    install(EXTRAS[command])
    if command == "setup":
        return 0
    runs = {"demo": [str(BIN / "neanelu"), "demo"], "test": [str(BIN / "python"), "-m", "pytest", "-n", "2"]}
    return subprocess.call([*runs[command], *rest], cwd=ROOT)


def install(extras: str) -> None:
    """Make the environment, or bring it up to date; does nothing if it already is."""
    wanted = fingerprint()
    have = STAMP.read_text().split("\n") if STAMP.exists() else []
    if have[:1] == [wanted] and set(extras.strip("[]").split(",")) <= {*have[1:], ""}:
        return
    if not (BIN / "pip").exists():  # It comes last: an environment that was broken off has none.
        make()
    print("Installing the pinned packages (a minute or two, once) ...", flush=True)
    pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.check_call([*pip, "--constraint", "constraints.txt", "--editable", f".{extras}"], cwd=ROOT)
    STAMP.write_text("\n".join([wanted, *extras.strip("[]").split(",")]))


def make() -> None:
    """Make the environment anew, with nothing in it but pip."""
    print(f"Making {ENVIRONMENT} ...", flush=True)
    try:
        venv.create(ENVIRONMENT, with_pip=True, clear=ENVIRONMENT.exists())
    except subprocess.CalledProcessError:
        sys.exit("This Python has no pip for new environments; on Debian and Ubuntu the package python3-venv holds it.")


def fingerprint() -> str:
    """What the environment was made from: a changed pin or dependency makes it anew."""
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"This failed (exit status {error.returncode}): {' '.join(map(str, error.cmd))}")
