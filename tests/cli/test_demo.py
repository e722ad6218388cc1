"""The demo ends by itself, tells its story in words and as one object, and may be run again."""

import json
import os
import re
import subprocess
import time

import pytest

from tests.cli.home import COMMAND, Home

pytestmark = pytest.mark.slow


def test_the_demo_tells_what_was_made_rejected_and_where_to_look(empty_home: Home) -> None:
    told = empty_home.json("demo", "--products", "100")
    assert told["exit"] == 0, told["stderr"]
    first, same, changed, other = told["loads"]
    assert first["rows"]["inserted"] > 100
    assert first["rows"]["rejected"] == 8
    assert first["rows"]["read"] == same["rows"]["read"]
    assert same["rows"]["inserted"] == same["rows"]["updated"] == 0
    assert changed["rows"]["updated"] > 0
    assert other["rows"]["rejected"] == 0
    inbox = empty_home.path / "artifacts" / "inbox"
    assert (inbox / first["shop"] / "products.jsonl").is_file()
    assert all(shop["products"] > 0 for shop in empty_home.json("status")["shops"])
    locations, products = told["syncs"]
    assert locations["table_rows"]["inventory_locations"] > 0
    assert (products["status"], products["table_rows"]["shopify_products"]) == ("completed", 20)
    assert len((inbox / products["shop"] / "products.jsonl").read_bytes().splitlines()) == products["rows"]["read"]
    assert float(told["change"]["after"]) < float(told["change"]["before"])
    # Nobody has the key that sealed its token: none may stay behind.
    assert not any(shop["token"] for shop in empty_home.json("shop", "list")["shops"])

    assert empty_home.json("database", "stop")["was_running"] is True
    said = again_with_the_ui(empty_home)
    for words in (
        "Grădina Verde, Cluj-Napoca",
        "Atelierul de Scule, Brașov",
        "Unelte și Flori, Iași changed a price",
        "8 lines of Grădina Verde, Cluj-Napoca were rejected",
        "title is missing or null",
        "shopify_variants",
    ):
        assert words in said, words
    # As it is printed, it works.
    command = re.search(r"freshness +(.*) status$", said, re.MULTILINE)
    assert command, said
    done = subprocess.run(
        ["sh", "-c", f"{command[1]} status --json"],
        env=empty_home.environment | {"PATH": os.defpath},
        cwd=empty_home.path.parent,
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["shops"]
    # The demo's own process had started the server; ending the UI has not taken it along.
    assert empty_home.json("database", "stop")["was_running"] is True


def again_with_the_ui(home: Home) -> str:
    """Run the demo once more, end its UI when it answers; what it said."""
    log = home.path.parent / "demo.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*COMMAND, "demo", "--products", "100", "--ui"],
            env=home.environment,
            cwd=home.path.parent,
            stdout=out,
            stderr=out,
        )
    deadline = time.monotonic() + 150
    while "UI is at" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    process.terminate()
    assert process.wait(60) == 0
    return log.read_text()
