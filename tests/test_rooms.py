"""The rooms and who may use whom: the import graph of the package, read from its source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import neanelu_pipelines

PACKAGE = Path(neanelu_pipelines.__file__).parent
TESTS = Path(__file__).parent
BENCHMARKS = TESTS.parent / "benchmarks"

ORDER = ("database", "shopify", "mirror", "sandbox")
"""Each room may use those before it. Everybody may use `errors`, `settings` and `threads`; only `cli` uses `defs`."""

TOP = ("defs", "cli")
FOUNDATION = {"errors", "settings", "threads"}


def imports() -> Iterator[tuple[Path, str]]:
    """Every import of the package's modules, also those inside functions: (module's file, imported name)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import"
                yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_the_rooms_are_the_ones_the_architecture_names() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == {*ORDER, *TOP}, "a new room needs its place in the order"


def test_no_room_uses_a_later_one() -> None:
    wrong = []
    for path, name in imports():
        parts = name.split(".")
        if parts[0] != "neanelu_pipelines" or len(parts) < 2:
            continue
        room, used = room_of(path), parts[1]
        if used == room or used in FOUNDATION:
            continue
        if room in ORDER:
            allowed = used in ORDER and ORDER.index(used) < ORDER.index(room)
        elif room == "cli":
            allowed = used in ORDER or used == "defs"
        else:
            allowed = room in {"defs", "definitions"} and (used in ORDER or used == "defs")
        if not allowed:
            wrong.append(f"{path.relative_to(PACKAGE)} uses {name}")
    assert not wrong


def test_only_defs_and_one_module_of_the_command_import_dagster() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix() for path, name in imports() if name.split(".")[0].startswith("dagster")
    }
    outside = {user for user in users if not user.startswith("defs/")}
    assert outside == {"definitions.py", "cli/orchestra.py"}


def test_every_module_says_what_belongs_in_it() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        words = " ".join(said.split())
        assert "elongs here" in words, f"{path} does not say what belongs in it"
        assert "not belong" in words, f"{path} does not say what does not belong in it"


def test_no_file_is_longer_than_400_lines() -> None:
    sources = [*PACKAGE.rglob("*.py"), *BENCHMARKS.rglob("*.py"), *TESTS.rglob("*.py")]
    long = {str(path): lines for path in sources if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400}
    assert not long
