"""The demo ends by itself, tells its story in words and as one object, and may be run again."""

import pytest

from tests.cli.home import Home

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
