"""Every statement of sql/ is used: what nothing runs is not kept."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import neanelu_pipelines
from neanelu_pipelines.database.statements import sql_root

PACKAGE = Path(neanelu_pipelines.__file__).parent
ROOT = PACKAGE.parent
NAME = re.compile(r"[a-z_]+/[a-z0-9_]+")


def statements() -> set[str]:
    """The names of all files but migrations."""
    found = {path.relative_to(sql_root()).with_suffix("").as_posix() for path in sql_root().glob("*/*.sql")}
    return {name for name in found if not name.startswith("migrations/")}


def named() -> Iterator[str]:
    """Every text in the source that may be a statement's name; of one that is put together, what it may become."""
    sources = [*PACKAGE.rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
                yield node.value
            elif isinstance(node, ast.Call) and getattr(node.func, "id", None) == "statement":
                yield from (pattern(text) for text in ast.walk(node) if isinstance(text, ast.JoinedStr))


def pattern(text: ast.JoinedStr) -> str:
    """What an f-string may become. It says the room itself, or anything would be used."""
    parts = [str(part.value) if isinstance(part, ast.Constant) else None for part in text.values]
    assert parts[0], ast.unparse(text)
    assert "/" in parts[0], ast.unparse(text)
    return "".join("[a-z0-9_]+" if part is None else re.escape(part) for part in parts)


def test_every_statement_is_used() -> None:
    used = re.compile("|".join(sorted(set(named()))))
    assert not sorted(name for name in statements() if not used.fullmatch(name))
