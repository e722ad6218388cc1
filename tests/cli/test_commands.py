"""The command as a user runs it: results, words for errors, exit statuses."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from psycopg import conninfo

from neanelu_pipelines.sandbox.catalogue import write_products
from neanelu_pipelines.sandbox.faults import Fault
from tests.cli.home import COMMAND, SHOP, Home


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalogue") / "products.jsonl"
    write_products(path, 50, seed=7, faults=[Fault.MALFORMED, Fault.NULL_TITLE])
    return path


@pytest.fixture(scope="module")
def loaded(home: Home, catalogue: Path) -> dict[str, Any]:
    """What `load --json` says of a shop's first load; the shop is there for whoever asks for this."""
    return home.json("load", str(catalogue), "--shop", SHOP, "--resource", "products", "--create-shop")


@pytest.mark.parametrize("command", [("status",), ("doctor",), ("migrate", "--check")])
def test_looking_where_no_installation_is_makes_none(command: tuple[str, ...], empty_home: Home) -> None:
    nowhere = empty_home.path / "nowhere"
    told = empty_home.json(*command, NEANELU_HOME=str(nowhere))
    assert (told["exit"], told["status"]) == (1, "failed")
    assert f"no installation in {nowhere}" in told["error"]
    assert not nowhere.exists()


def test_migrate_says_what_is_missing_applies_it_and_then_has_nothing_to_do(begun_home: Home) -> None:
    before = begun_home.json("migrate", "--check")
    assert before["exit"] == 1
    assert before["pending"]
    applied = begun_home.json("migrate")
    assert applied["exit"] == 0
    assert [item["name"] for item in applied["applied"]] == before["pending"]
    assert begun_home.json("migrate", "--check") == {"status": "complete", "pending": [], "exit": 0, "stderr": ""}
    assert begun_home.json("migrate")["applied"] == []


def test_load_prints_one_object_whose_counts_add_up(home: Home, catalogue: Path, loaded: dict[str, Any]) -> None:
    first = loaded
    assert first["exit"] == 0, first["stderr"]
    assert first["status"] == "completed"
    rows = first["rows"]
    assert rows["read"] == len(catalogue.read_bytes().splitlines())
    assert rows["read"] == rows["staged"] + first["rows"]["ignored"] + rows["rejected"]
    assert rows["rejected"] == 2
    assert rows["inserted"] == sum(first["table_rows"].values())
    assert first["tables"]["shopify_products"]["inserted"] == 50
    assert first["seconds"] > 0
    assert ledger(home, f"id = '{first['run_id']}'") == [("completed", None)]

    again = home.json("load", str(catalogue), "--shop", SHOP, "--resource", "products")
    assert again["exit"] == 0
    assert {kind: again["rows"][kind] for kind in ("inserted", "updated", "deleted")} == {
        "inserted": 0,
        "updated": 0,
        "deleted": 0,
    }
    assert again["rows"]["read"] == sum(node["unchanged"] for node in again["nodes"].values()) + 2


def ledger(home: Home, which: str) -> list[tuple[str, str | None]]:
    """Loads of the ledger, the oldest first: how they stand, and what went wrong."""
    with psycopg.connect(home.run("database", "url").stdout.strip()) as connection:
        query = f"SELECT status, error_message FROM bulk_runs WHERE {which} ORDER BY id"
        return connection.execute(query).fetchall()


def test_the_signature_of_a_source_is_used_and_never_shown_or_kept(home: Home, catalogue: Path, tmp_path: Path) -> None:
    signed = tmp_path / "products.jsonl?semnatura=de-tot-secreta"
    shutil.copyfile(catalogue, signed)
    url = f"file://{signed}"
    done = home.run("load", url, "--shop", SHOP, "--resource", "products", "--create-shop", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["source"] == url.partition("?")[0]
    assert "de-tot-secreta" not in done.stdout + done.stderr
    for name in ("neanelu", "dagster"):
        admin = conninfo.make_conninfo(home.run("database", "url").stdout.strip(), dbname=name)
        dump = ""
        with psycopg.connect(admin) as connection:
            tables = connection.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text "
                "IN ('public', 'pipeline')"
            ).fetchall()
            for (table,) in tables:
                dump += str(connection.execute(f"SELECT t::text FROM {table} AS t").fetchall())
        assert url.partition("?")[0] in dump or name == "dagster"
        assert "de-tot-secreta" not in dump


def test_load_for_a_person_says_what_was_rejected_and_why(home: Home, catalogue: Path) -> None:
    done = home.run("load", str(catalogue), "--shop", SHOP, "--resource", "products", "--create-shop")
    assert done.returncode == 0, done.stderr
    assert "2 rejected" in done.stdout
    assert "title is missing or null" in done.stdout
    assert "shopify_products" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("load", "{file}", "--shop", SHOP), "Missing option '--resource'"),
        (("load", "{file}", "--schop", SHOP), "No such option"),
        (("laod",), "No such command"),
        (("migrate", "now"), "unexpected extra argument"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_object_too(
    home: Home, catalogue: Path, arguments: tuple[str, ...], words: str
) -> None:
    filled = [argument.format(file=catalogue) for argument in arguments]
    found = home.json(*filled)
    assert found["exit"] == 2
    assert found["status"] == "failed"
    assert words in found["error"]
    assert words in found["stderr"]
    for_a_person = home.run(*filled)
    assert (for_a_person.returncode, for_a_person.stdout) == (2, "")
    assert "Usage: " in for_a_person.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("load", "nowhere.jsonl", "--shop", SHOP, "--resource", "products"), "There is no file"),
        (("load", "{pipe}", "--shop", SHOP, "--resource", "products"), "is no file but a pipe"),
        (("load", "/", "--shop", SHOP, "--resource", "products"), "/ is a folder"),
        (("load", "{chained}", "--shop", SHOP, "--resource", "products"), "Rename the file"),
        (("load", "{file}", "--shop", "nobody.myshopify.com", "--resource", "products"), "--create-shop"),
        (("sync", "--shop", "nobody.myshopify.com"), "`neanelu shop add nobody.myshopify.com`."),
        (("load", "{file}", "--shop", "no domain", "--resource", "products", "--create-shop"), "must look like"),
        (("load", "{file}", "--shop", SHOP, "--resource", "drafts"), "no resource 'drafts'"),
        (("load", "{file}", "--shop", SHOP, "--resource", "products", "--as-of", "yesterday"), "2026-01-31T12:00:00Z"),
        (("load", "{file}", "--shop", SHOP, "--resource", "products", "--as-of", "9999-01-01T00:00Z"), "in the future"),
    ],
)
def test_what_a_user_can_cause_is_words_and_status_1(
    home: Home, catalogue: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    chained = tmp_path / "a::b.jsonl"
    chained.touch()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    filled = [argument.format(file=catalogue, chained=chained, pipe=pipe) for argument in arguments]
    done = home.run(*filled, "--json")
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["status"] == "failed"


def test_too_many_rejects_fail_the_command_and_merge_nothing(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    write_products(path, 3, seed=8, faults=[Fault.MALFORMED] * 9)
    shop = "alta-casa.myshopify.com"
    done = home.json("load", str(path), "--shop", shop, "--resource", "products", "--create-shop")
    assert done["exit"] == 1
    assert done["status"] == "failed"
    assert done["rows"]["rejected"] == 9
    assert done["tables"] == {}
    assert "NEANELU_MAX_REJECT_SHARE" in done["stderr"]
    generous = home.json("load", str(path), "--shop", shop, "--resource", "products", NEANELU_MAX_REJECT_SHARE="0.9")
    assert generous["exit"] == 0, generous["stderr"]

    write_products(path, 30, seed=8)
    path.write_bytes(path.read_bytes()[:-9])
    cut = home.json("load", str(path), "--shop", shop, "--resource", "products")
    assert (cut["exit"], cut["status"]) == (1, "incomplete"), "what it holds is loaded, but that is not all of it"
    assert cut["rows"]["inserted"] > 0
    assert "cut off" in cut["stderr"]


def test_load_before_migrate_says_to_migrate(begun_home: Home, catalogue: Path) -> None:
    done = begun_home.run("load", str(catalogue), "--shop", SHOP, "--resource", "products")
    assert done.returncode == 1
    assert "neanelu migrate" in done.stderr


def test_a_killed_load_leaves_the_next_one_free(home: Home, catalogue: Path) -> None:
    """Its place in Dagster's pools is given back, and its run is not shown as running for ever."""
    arguments = ("load", str(catalogue), "--shop", SHOP, "--resource", "products", "--create-shop")
    for _ in range(3):  # more than the pool has places
        with home.killed(*arguments) as said:
            assert any("Reading and staging" in line for line in said), "it ended by itself"
            time.sleep(0.1)
    assert home.json(*arguments)["exit"] == 0


def test_status_shows_shops_and_loads(home: Home, loaded: dict[str, Any]) -> None:
    found = home.json("status")
    shop = next(item for item in found["shops"] if item["shop"] == SHOP)
    assert (shop["products"], shop["freshness"]) == (50, "fresh")
    assert "completed" in {run["status"] for run in found["runs"]}
    assert SHOP in home.run("status").stdout


def test_connection_strings_log_in_as_their_roles(home: Home) -> None:
    logins = {}
    for role in ("admin", "pipeline", "tenant"):
        with psycopg.connect(home.run("database", "url", "--role", role).stdout.strip()) as connection:
            row = connection.execute("SELECT current_user").fetchone()
            logins[role] = row[0] if row else None
    assert logins["pipeline"] == "neanelu_pipeline"
    assert logins["tenant"] == "neanelu_tenant"
    assert logins["admin"] not in {"neanelu_pipeline", "neanelu_tenant"}


def test_the_admins_string_of_an_external_server_is_not_printed(home: Home) -> None:
    external = home.run("database", "url").stdout.strip()
    done = home.run("database", "url", "--role", "admin", NEANELU_DATABASE_URL=external)
    assert done.returncode == 1
    assert external not in done.stdout + done.stderr


def test_a_role_without_its_own_login_has_no_string_on_an_external_server(home: Home) -> None:
    """It would be the admin's: SET ROLE can be undone."""
    external, tenant = (home.run("database", "url", "--role", role).stdout.strip() for role in ("admin", "tenant"))
    for role in ("pipeline", "tenant"):
        done = home.run("database", "url", "--role", role, NEANELU_DATABASE_URL=external)
        assert done.returncode == 1
        assert f"set NEANELU_{role.upper()}_DATABASE_URL" in done.stderr
        assert "postgresql://" not in done.stdout + done.stderr
    settings = {"NEANELU_DATABASE_URL": external, "NEANELU_TENANT_DATABASE_URL": tenant}
    done = home.run("database", "url", "--role", "tenant", **settings)
    with psycopg.connect(done.stdout.strip()) as connection:
        connection.execute("SET ROLE NONE")
        assert connection.execute("SELECT current_user").fetchone() == ("neanelu_tenant",)


def test_doctor_is_content_with_a_good_home(home: Home) -> None:
    found = home.json("doctor")
    assert found["exit"] == 0, found
    assert {finding["verdict"] for finding in found["findings"]} <= {"good", "doubtful"}
    assert len(found["findings"]) >= 8


def test_doctor_says_what_is_wrong_and_what_to_do(begun_home: Home) -> None:
    found = begun_home.json("doctor")
    assert found["exit"] == 1
    wrong = {finding["what"]: finding["remedy"] for finding in found["findings"] if finding["verdict"] == "wrong"}
    assert wrong == {"schema": "run `neanelu migrate`"}


def test_doctor_survives_a_server_that_does_not_answer(empty_home: Home) -> None:
    found = empty_home.json("doctor", NEANELU_DATABASE_URL="postgresql://u:geheim@127.0.0.1:1/x")
    assert found["exit"] == 1
    assert found["findings"][-1]["what"] == "server"
    assert "geheim" not in json.dumps(found)


def test_stop_ends_the_server_and_the_next_command_starts_it(begun_home: Home) -> None:
    assert begun_home.json("database", "stop")["was_running"] is False
    begun_home.run("database", "url")
    assert begun_home.json("database", "stop")["was_running"] is True
    assert begun_home.run("migrate").returncode == 0


def test_no_password_is_in_any_command_line(home: Home) -> None:
    """`ps` shows every user the arguments of every process."""
    passwords = list(json.loads((home.path / "server" / "passwords.json").read_text()).values())
    lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in lines for password in passwords if password in line]


def test_ctrl_c_ends_a_load_without_a_traceback_and_says_so_in_the_ledger(home: Home, catalogue: Path) -> None:
    shop = "casa-parasita.myshopify.com"
    process = begin_load(home, catalogue, shop)
    assert process.stderr
    assert any("Reading and staging" in line for line in iter(process.stderr.readline, "")), "it ended by itself"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in errors
    assert "interrupted" in errors
    [(status, why)] = ledger(home, OF_SHOP.format(shop))
    assert status == "failed"
    assert "interrupted" in str(why)
    assert home.json("status")["runs"][0]["status"] == "failed"


def test_a_load_that_lost_its_connection_is_not_left_as_running(home: Home, catalogue: Path) -> None:
    """Dagster tries the step again, as a load of its own; the one that was cut off must not stay open beside it."""
    shop = "casa-departata.myshopify.com"
    url = home.run("database", "url").stdout.strip()
    with psycopg.connect(url) as lock, psycopg.connect(url, autocommit=True) as watch:
        lock.execute("LOCK TABLE bulk_artifacts IN EXCLUSIVE MODE")
        process = begin_load(home, catalogue, shop)
        deadline = time.monotonic() + 60
        while not watch.execute(CUT_OFF).fetchall():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert [state for state, _ in ledger(home, OF_SHOP.format(shop))] == ["failed", "completed"]


OF_SHOP = "shop_id = (SELECT id FROM shops WHERE shopify_domain = '{}')"
CUT_OFF = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE usename = 'neanelu_pipeline' AND datname = current_database() AND wait_event_type = 'Lock'"
)


def begin_load(home: Home, source: Path, shop: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "load", str(source), "--shop", shop, "--resource", "products", "--create-shop"],
        env=home.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
