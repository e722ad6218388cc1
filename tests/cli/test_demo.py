"""The demo ends by itself, tells its story in words and as one object, and may be run again."""

import subprocess
import time

import pytest

from tests.cli.home import COMMAND, Home

pytestmark = pytest.mark.slow


def test_the_demo_tells_what_was_made_rejected_and_where_to_look(empty_home: Home) -> None:
    first_time = empty_home.json("demo", "--products", "300")
    assert first_time["exit"] == 0, first_time["stderr"]
    first, same, changed, other = first_time["loads"]
    assert first["rows"]["inserted"] > 300
    assert first["rows"]["rejected"] == 8
    assert first["rows"]["read"] == same["rows"]["read"]
    assert same["rows"]["inserted"] == same["rows"]["updated"] == 0
    assert changed["rows"]["updated"] > 0
    assert other["rows"]["rejected"] == 0

    done = empty_home.run("demo", "--products", "300")
    assert done.returncode == 0, done.stderr
    for words in (
        "Grădina Verde, Cluj-Napoca",
        "Atelierul de Scule, Brașov",
        "8 lines of Grădina Verde, Cluj-Napoca were rejected",
        "title is missing or null",
        "shopify_variants",
        "neanelu dev",
        "neanelu database url",
    ):
        assert words in done.stdout, words

    assert (empty_home.path / "artifacts" / "inbox" / first["shop"] / "products.jsonl").is_file()
    assert empty_home.json("status")["shops"][0]["products"] > 0


def test_the_ui_after_the_demo_ends_and_leaves_the_server_as_it_was(empty_home: Home) -> None:
    """The demo's own process started the server; ending the UI must not take it along."""
    log = empty_home.path.parent / "demo.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*COMMAND, "demo", "--products", "100", "--ui"], env=empty_home.environment, stdout=out, stderr=out
        )
    deadline = time.monotonic() + 150
    while "UI is at" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    process.terminate()
    assert process.wait(60) == 0
    assert empty_home.json("database", "stop")["was_running"] is True
