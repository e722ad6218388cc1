"""A load that dies anywhere, loses its server or its connection: the next one ends with exactly the same rows."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.embedded import EmbeddedServer
from neanelu_pipelines.mirror import ledger, merge, river, staging_area
from neanelu_pipelines.mirror.expiry import delete_past
from neanelu_pipelines.mirror.reports import LoadRun
from tests.mirror.lines import DOMAIN, OTHER_DOMAIN, River, catalogue, moment

# Functions at the boundaries of the steps: a process dies as it enters one.
BOUNDARIES = {
    "artifact written, not in the ledger": (ledger, "add_artifact"),
    "nothing staged": (staging_area, "clear"),
    "staged, not judged": (river, "judge"),
    "judged, not in the ledger": (ledger, "count_artifact_rows"),
    "nothing merged": (merge.Merge, "in_one_transaction"),
    "merged, not closed": (ledger, "close_run"),
    "closed, not cleared": (staging_area, "analyze_mirror"),
}

_LOADER = """
import os, sys
from datetime import datetime
from pathlib import Path
from neanelu_pipelines.database.connect import Database, Role
from neanelu_pipelines.mirror import river
from neanelu_pipelines.settings import Settings

artifacts, domain, source, as_of, big_load_rows = sys.argv[1:]
river._BIG_LOAD_ROWS = int(big_load_rows)
settings = Settings(artifact_url=artifacts, block_bytes=65536, _env_file=None)
database = Database({role: os.environ["TEST_" + role.upper()] for role in Role})
print("begun", flush=True)
river.load_file(
    database, settings, shop_domain=domain, resource="products", source=source, as_of=datetime.fromisoformat(as_of)
)
print("done", flush=True)
"""


class Killed(BaseException):
    """Stands for kill -9 inside this process: nobody catches it, and the server sees its sessions gone."""


@pytest.fixture(params=["one transaction", "side by side"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of merging, whatever the number of rows."""
    monkeypatch.setattr(river, "_BIG_LOAD_ROWS", 0 if request.param == "side by side" else 10**9)
    return str(request.param)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_died_at_a_boundary(river: River, monkeypatch: pytest.MonkeyPatch, boundary: str) -> None:
    river.load(_older(), as_of=moment(4))

    _die_at(river, monkeypatch, *BOUNDARIES[boundary])

    _assert_next_load_is_right(river)
    delete_past(river.database, river.settings.artifact_root, now=datetime.now(UTC), kept=timedelta(days=1))
    stored = {str(path) for path in Path(river.settings.artifact_root).rglob("*") if path.is_file()}
    assert stored == {path for (path,) in river.query("SELECT file_path FROM bulk_artifacts")}


@pytest.mark.parametrize("before", ["empty", "older rows"])
def test_died_between_rows_and_their_links(
    river: River, monkeypatch: pytest.MonkeyPatch, before: str, size: str
) -> None:
    """A row's fingerprint speaks for its links: with the one without the other, nobody would look at it again."""
    if before == "older rows":
        river.load(_older(), as_of=moment(4))

    _die_at(river, monkeypatch, merge.Merge, "_link_rows")

    _assert_next_load_is_right(river)


def test_died_inside_the_merge_of_a_table(river: River, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    river.load(_older(), as_of=moment(4))
    calls = iter([False, False, True, True, True, True])
    original = merge.Merge._rows

    def rows(self: merge.Merge, *arguments: Any) -> Any:
        result = original(self, *arguments)
        if next(calls):
            _end_sessions(river)
            raise Killed
        return result

    with _nobody_left(monkeypatch) as patch:
        patch.setattr(merge.Merge, "_rows", rows)
        with pytest.raises((Killed, psycopg.OperationalError)):
            river.load(catalogue(), as_of=moment(5))

    _assert_next_load_is_right(river)


@pytest.mark.parametrize("big_load_rows", [1, 10**9], ids=["side by side", "one transaction"])
def test_kill_9_at_random_times(river: River, big_load_rows: int) -> None:
    lines = catalogue(150)
    source = river.file(lines, "mare.jsonl")
    clean = _seconds_of_a_clean_load(river, source, big_load_rows)
    chance = random.Random(big_load_rows)
    died = 0
    for _ in range(4):
        with _loading(river, source, big_load_rows) as loader:
            time.sleep(chance.uniform(0.02, clean))
            loader.send_signal(signal.SIGKILL)
            died += loader.wait() == -signal.SIGKILL
    assert died, "some were still at work"

    river.load(lines, as_of=moment(5))

    assert river.mirror() == river.mirror(OTHER_DOMAIN)


def test_a_merge_that_was_not_closed_is_seen_by_a_load_staged_before_it(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Staged rows are compared with the mirror of a moment: whatever was merged since makes them old."""
    river.load(catalogue(), as_of=moment(4))
    waiting = _opened(river, catalogue(), as_of=moment(6))
    river_module().stage(river.database, river.settings, waiting)
    with _nobody_left(monkeypatch) as patch:
        patch.setattr(ledger, "close_run", _dying(river))
        with pytest.raises((Killed, psycopg.OperationalError)):
            river.load(catalogue(vendor="Altul", updatedAt="2026-03-01T10:00:00Z"), as_of=moment(5))

    river_module().merge(river.database, river.settings, waiting)

    assert {row[0] for row in river.query("SELECT vendor FROM shopify_products")} == {"Grădinarul"}


def test_a_crash_of_the_server_between_stage_and_merge(server: EmbeddedServer, river: River) -> None:
    """A crash empties unlogged tables: the merge notices by its counts and stages again from the artifact."""
    river.load(catalogue(2), as_of=moment(4))
    load = _opened(river, catalogue(), as_of=moment(5))
    river_module().stage(river.database, river.settings, load)
    _crash(server)
    assert river.staged_rows() == 0
    (*_, complete) = river_module().check(river.database, river.settings, load)
    assert not complete.passed
    assert "Staged rows are missing" in complete.description

    river_module().merge(river.database, river.settings, load)

    _assert_like_a_clean_load(river)


def test_staging_that_lost_only_some_rows_is_not_merged_either(river: River) -> None:
    load = _opened(river, catalogue(), as_of=moment(5))
    river_module().stage(river.database, river.settings, load)
    river.do("DELETE FROM staging_variants WHERE line_number = 2")

    river_module().merge(river.database, river.settings, load)

    _assert_like_a_clean_load(river)


@pytest.mark.parametrize("step", ["stage", "merge"])
def test_a_lost_connection(river: River, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """pg_terminate_backend on every session of ours, in the middle of a step."""
    river.load(_older(), as_of=moment(4))
    module, name = (river_module(), "judge") if step == "stage" else (merge.Merge, "_link_rows")
    original = getattr(module, name)

    def cut(*arguments: Any, **named: Any) -> Any:
        _end_sessions(river)
        return original(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, cut)
        with pytest.raises(psycopg.OperationalError):
            river.load(catalogue(), as_of=moment(5))

    status, message = river.one("SELECT status, error_message FROM bulk_runs ORDER BY created_at DESC LIMIT 1")
    assert status == "failed", "who is still there closes the load"
    assert "terminating connection" in message or "closed" in message
    _assert_next_load_is_right(river, why=message)


def test_a_load_that_was_merged_is_completed_whatever_fails_afterwards(
    river: River, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> None:
        raise RuntimeError("the statistics cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(staging_area, "analyze_mirror", fail)
        with pytest.raises(RuntimeError, match="statistics"):
            river.load(catalogue(), as_of=moment(5))

    assert river.one("SELECT status, error_message FROM bulk_runs") == ("completed", None)
    _assert_like_a_clean_load(river)


def test_two_loads_of_one_shop_at_once_are_serialised(river: River) -> None:
    older = river.file(_older(), "vechi.jsonl")
    newer = river.file(catalogue(), "nou.jsonl")

    reports = _at_once(river, [(DOMAIN, older, moment(4)), (DOMAIN, newer, moment(5))] * 2)

    assert len(reports) == 4
    assert {row[0] for row in river.query("SELECT status FROM bulk_runs")} == {"completed"}
    _assert_like_a_clean_load(river)


def test_two_shops_at_once(river: River) -> None:
    other = river.file(catalogue(20, vendor="Vecinul"), "vecin.jsonl")
    ours = river.file(catalogue(20), "al nostru.jsonl")

    _at_once(river, [(DOMAIN, ours, moment(5)), (OTHER_DOMAIN, other, moment(5))] * 2)

    for domain, vendor in ((DOMAIN, "Grădinarul"), (OTHER_DOMAIN, "Vecinul")):
        rows = river.query("SELECT DISTINCT vendor FROM shopify_products WHERE shop_id = %s", river.shops[domain])
        assert rows == [(vendor,)]
        assert len(river.mirror(domain)["shopify_product_media"]) == 40
    assert river.staged_rows() == 0


def test_whoever_waits_too_long_for_a_shop_is_told(river: River) -> None:
    hasty = river.settings.model_copy(update={"lock_wait": 0.2})
    load = _opened(river, catalogue(), as_of=moment(5))
    busy = pytest.raises(ledger.ResourceBusyError, match=r"unelte\.myshopify\.com is still running")
    with ledger.opened(river.database) as book, ledger.resource_lock(book, load), busy:
        river.load(catalogue(), settings=hasty)


def river_module() -> Any:
    """The module, where a fixture has its name."""
    return river


def _older() -> list[bytes]:
    """Rows that the file under test changes, extends and takes links and metafields from."""
    lines = [line.replace(b"inarul", b"inaru").replace(b"03-01", b"02-01") for line in catalogue(2)]
    extra = [line for line in catalogue(2) if b'"MediaImage"' in line or b'"Metafield"' in line]
    return [*lines, *(line.replace(b"Image\\/1", b"Image\\/7").replace(b"material", b"extra") for line in extra)]


@contextmanager
def _nobody_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A process that was killed closes nothing any more."""
    with monkeypatch.context() as patch:
        patch.setattr(river, "fail", lambda *_arguments: None)
        yield patch


def _die_at(river_: River, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    with _nobody_left(monkeypatch) as patch:
        patch.setattr(module, name, _dying(river_))
        with pytest.raises((Killed, psycopg.OperationalError)):
            river_.load(catalogue(), as_of=moment(5))


def _dying(river_: River) -> Callable[..., Any]:
    def die(*_arguments: Any, **_named: Any) -> Any:
        _end_sessions(river_)
        raise Killed

    return die


def _end_sessions(river_: River) -> None:
    """Every session of ours, as when their process is gone: nothing of it can write anything any more."""
    with river_.database.connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name IN ('neanelu pipeline', 'neanelu tenant')"
        )


def _opened(river_: River, lines: list[bytes], *, as_of: datetime) -> LoadRun:
    return river.open_load(
        river_.database,
        river_.settings,
        shop_domain=DOMAIN,
        resource="products",
        source=river_.file(lines, "deschis.jsonl"),
        as_of=as_of,
    )


def _assert_next_load_is_right(river_: River, why: str = "The process that ran this load ended before it did.") -> None:
    """The rows are right; who died holding the lock is known to be dead, and the rest is, when a day has passed."""
    river_.load(catalogue(), as_of=moment(5))
    _assert_like_a_clean_load(river_)
    in_a_step = "EXISTS (SELECT FROM bulk_steps s WHERE s.bulk_run_id = r.id AND s.status = 'running'"
    assert not river_.query(
        f"SELECT FROM bulk_runs r WHERE status = 'running' AND {in_a_step} AND step_name IN ('stage', 'merge'))"
    )
    river_.unheard_of(hours=25)
    river_.load(catalogue(), as_of=moment(5))
    assert river_.query("SELECT DISTINCT status FROM bulk_runs ORDER BY 1")[0] == ("completed",)
    dead = river_.query("SELECT status, error_message FROM bulk_runs WHERE status <> 'completed'")
    assert dead in ([], [("failed", why)])
    assert river_.staged_rows() == 0


def _assert_like_a_clean_load(river_: River) -> None:
    """The other shop never knew anything else. Rows that the file does not name any more have no links left."""
    river_.load(catalogue(), domain=OTHER_DOMAIN, as_of=moment(5))
    ours, clean = river_.mirror(), river_.mirror(OTHER_DOMAIN)
    known = {row[0] for row in clean["shopify_media"]}
    ours["shopify_media"] = [row for row in ours["shopify_media"] if row[0] in known]
    for table, rows in clean.items():
        assert ours[table] == rows, table


def _crash(server: EmbeddedServer) -> None:
    """An immediate stop is a crash to PostgreSQL: it recovers at the next start."""
    with server.database("postgres").connect(Role.ADMIN, autocommit=True) as connection:
        connection.execute("CHECKPOINT")  # The tests' server does not wait for its log, a real one does.
        pid = connection.execute("SELECT pg_read_file('postmaster.pid')").fetchone()
    assert pid
    postmaster = int(pid[0].split()[0])
    os.kill(postmaster, signal.SIGQUIT)
    for _ in range(300):
        if not Path(f"/proc/{postmaster}").exists() or "Z" in Path(f"/proc/{postmaster}/stat").read_text().split()[2]:
            break
        time.sleep(0.05)
    server.start()


@contextmanager
def _loading(river_: River, source: str, big_load_rows: int, domain: str = DOMAIN) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that loads; here from the moment when it begins."""
    urls = {f"TEST_{role.upper()}": river_.database.urls[role] for role in Role}
    arguments = [str(river_.settings.artifact_root), domain, source, moment(5).isoformat(), str(big_load_rows)]
    with subprocess.Popen(
        [sys.executable, "-c", _LOADER, *arguments],
        env={**os.environ, **urls},
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


def _seconds_of_a_clean_load(river_: River, source: str, big_load_rows: int) -> float:
    """How long the other shop's load takes, which is what the first shop is compared with in the end."""
    with _loading(river_, source, big_load_rows, OTHER_DOMAIN) as loader:
        started = time.perf_counter()  # not while it imports: nobody is killed then
        assert loader.stdout
        assert loader.stdout.readline() == "done\n"
        seconds = time.perf_counter() - started
        assert loader.wait() == 0
        return seconds


def _at_once(river_: River, loads: list[tuple[str, str, datetime]]) -> list[Any]:
    reports: list[Any] = []

    def run(domain: str, source: str, as_of: datetime) -> None:
        reports.append(
            river.load_file(
                river_.database, river_.settings, shop_domain=domain, resource="products", source=source, as_of=as_of
            )
        )

    threads = [threading.Thread(target=run, args=load) for load in loads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reports
