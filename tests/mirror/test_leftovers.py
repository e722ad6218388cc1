"""Files that no row of the ledger names go when their run is over, and nothing else does."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import fsspec
import pytest

from neanelu_pipelines.mirror import artifacts, ledger, river
from neanelu_pipelines.mirror.expiry import ANSWERS_KEPT, FilesLeftError, Purged, delete_past
from neanelu_pipelines.mirror.redaction.subjects import hashed
from neanelu_pipelines.mirror.reports import LoadRun
from neanelu_pipelines.shopify.store import files_of
from tests.mirror.lines import DOMAIN, River, catalogue, moment

YEAR = timedelta(days=365)


def test_whatever_ends_a_copy_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "products.jsonl"
    source.write_bytes(b"{}\n" * 10)
    original = artifacts._copy
    canceled: type[BaseException] = KeyboardInterrupt

    def copy(*arguments: Any) -> Any:
        original(*arguments)
        raise canceled

    monkeypatch.setattr(artifacts, "_copy", copy)
    for canceled in (KeyboardInterrupt, SystemExit):
        with pytest.raises(canceled):
            artifacts.store(str(tmp_path / "store"), str(source), shop_domain="x", resource="products", run_id=RUN)
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


RUN = UUID("01a20000-0000-7000-8000-000000000000")


@pytest.mark.parametrize("store", ["a folder", "memory://"])
def test_what_runs_that_are_over_left_behind_goes_by_its_name(river: River, store: str) -> None:
    if store == "memory://":
        river.settings = river.settings.model_copy(update={"artifact_url": f"memory://{uuid.uuid4().hex}"})
    root = river.settings.artifact_root
    assert purge(river) == Purged(0, 0), "there is no store yet"
    kept, taken, closed, dead, loading, begun, export = (opened(river) for _ in range(7))
    river_fail(river, kept, taken, closed)
    river.do("UPDATE bulk_artifacts SET deleted_at = now() WHERE bulk_run_id = %s", taken.run_id)
    lost = [load.run_id for load in (closed, dead, loading, begun, export)]
    river.do("DELETE FROM bulk_artifacts WHERE bulk_run_id = ANY (%s)", lost)
    long_ago = "now() - interval '2 days'"
    river.do(f"UPDATE bulk_runs SET started_at = {long_ago}, updated_at = {long_ago} WHERE id = ANY (%s)", lost)
    river.do("UPDATE bulk_steps SET started_at = now() - interval '2 days', completed_at = NULL")
    river.do("UPDATE bulk_steps SET started_at = now() WHERE bulk_run_id = %s", begun.run_id)
    river.do(
        "UPDATE bulk_runs SET status = 'pending', query_type = 'orders',"
        " cursor_state = cursor_state || '{\"bulk\": {}}' WHERE id = %s",
        export.run_id,
    )
    river.do("UPDATE bulk_runs SET query_type = 'customers' WHERE id = %s", loading.run_id)
    stays = set()
    for load in (kept, closed, dead, loading, begun, export, opened(river, None)):
        made = {
            write(f"{root}/{DOMAIN}/products/{load.run_id}{ending}")
            for ending in (
                ".jsonl",
                ".jsonl.gz.partial",
                ".partial.jsonl",
                ".jsonl.pieces/whole",
                ".jsonl.pieces/1.piece",
            )
        }
        stays |= set() if load in (kept, closed, dead) else made
    stays.add(kept.artifact_path)
    names = ("products/notes.txt", f"privacy/{closed.run_id}.jsonl", f"x/{closed.run_id}.jsonl")
    stays |= {write(f"{root}/{DOMAIN}/{name}") for name in names}
    stays.add(write(f"{root}/inbox/products/{closed.run_id}.jsonl"))

    with ledger.opened(river.database) as book, ledger.resource_lock(book, of(loading, "customers")):
        done = purge(river)

    assert files(root) == {files_of(path)[1] for path in stays}
    assert done == Purged(0, 3 + 4 + 4 + 1), "folders of pieces count as one"
    assert river.one("SELECT status FROM bulk_runs WHERE id = %s", dead.run_id) == "failed"
    assert purge(river) == Purged(0, 4), "of the one whose lock was held"


def test_a_file_that_cannot_be_deleted_keeps_its_run_and_no_other(river: River) -> None:
    stuck, other = opened(river), opened(river)
    river_fail(river, stuck, other)
    for load in (stuck, other):
        Path(f"{load.artifact_path}.partial").touch()
    in_the_way = Path(f"{stuck.artifact_path}.partial")
    in_the_way.unlink()
    in_the_way.mkdir()

    with pytest.raises(FilesLeftError, match=in_the_way.name):
        delete_past(river.database, river.settings.artifact_root, now=datetime.now(UTC) + YEAR, kept=YEAR / 2)

    assert river.query("SELECT id FROM bulk_runs") == [(stuck.run_id,)]
    assert files(river.settings.artifact_root) == {stuck.artifact_path}
    in_the_way.rmdir()
    assert purge(river, now=datetime.now(UTC) + YEAR) == Purged(1, 0)
    assert files(river.settings.artifact_root) == set()


def test_what_comes_in_of_a_shop_after_it_was_forgotten_goes(swept: River) -> None:
    """Its runs are gone with it, so that nobody else could tell that they are over."""
    swept.settings = swept.settings.model_copy(update={"artifact_url": f"memory://{uuid.uuid4().hex}"})
    root, key = swept.settings.artifact_root, "cerere"
    for domain in ("uitat.myshopify.com", DOMAIN):
        swept.do(
            "INSERT INTO pipeline.redactions (request_key, kind, subject_hash, status, completed_at)"
            " VALUES (%s, 'shop', %s, 'completed', now())",
            key + domain,
            hashed(key + domain, domain),
        )
    came, stays = (
        write(f"{root}/{domain}/customers/{uuid.uuid4()}.jsonl.partial") for domain in ("uitat.myshopify.com", DOMAIN)
    )
    elsewhere = write(f"{root}/altul.myshopify.com/customers/{uuid.uuid4()}.jsonl")

    assert purge(swept) == Purged(0, 1), came

    assert files(root) == {files_of(path)[1] for path in (stays, elsewhere)}, "one is here again, one was never here"


@pytest.mark.parametrize("store", ["a folder", "memory://"])
def test_an_answer_to_a_person_goes_when_the_merchants_time_is_past(swept: River, store: str) -> None:
    if store == "memory://":
        swept.settings = swept.settings.model_copy(update={"artifact_url": f"memory://{uuid.uuid4().hex}"})
    root = swept.settings.artifact_root
    now = datetime.now(UTC)
    told, waits = uuid.uuid4(), uuid.uuid4()
    for key, key_of, status, completed in (("a", told, "completed", now), ("b", waits, "hindered", None)):
        swept.do(
            "INSERT INTO pipeline.redactions (id, request_key, kind, of_shop, subject_hash, status, completed_at)"
            " VALUES (%s, %s, 'export', %s, '', %s, %s)",
            key_of,
            key,
            swept.shops[DOMAIN],
            status,
            completed,
        )
    folder = f"{root}/{DOMAIN}/privacy"
    answer, half, begun, unknown, other = (
        write(f"{folder}/{name}")
        for name in (f"{told}.json", f"{told}.json.partial", f"{waits}.json.partial", f"{RUN}.json", "scrisoare.txt")
    )
    swept.do(
        "INSERT INTO pipeline.redactions (request_key, kind, subject_hash, status, completed_at)"
        " VALUES ('c', 'shop', %s, 'completed', now())",
        hashed("c", "uitat.myshopify.com"),
    )
    write(f"{root}/uitat.myshopify.com/privacy/{uuid.uuid4()}.json")

    assert purge(swept, now=now + ANSWERS_KEPT - timedelta(minutes=1)) == Purged(0, 0, 1), "a forgotten shop's"
    assert files_of(answer)[1] in files(root), "the merchant may still have to hand it over"
    assert purge(swept, now=now + ANSWERS_KEPT + timedelta(minutes=1)) == Purged(0, 0, 2), half
    assert files(root) == {files_of(path)[1] for path in (begun, unknown, other)}


def opened(river_: River, source: str | None = "") -> LoadRun:
    """A load with its artifact in the store; None: one that no ledger knows."""
    if source is None:
        return LoadRun(uuid.uuid4(), river_.shops[DOMAIN], DOMAIN, "products", "", 0, "")
    return river.open_load(
        river_.database,
        river_.settings,
        shop_domain=DOMAIN,
        resource="products",
        source=river_.file(catalogue(1)),
        as_of=moment(2),
    )


def of(load: LoadRun, resource: str) -> LoadRun:
    return LoadRun(load.run_id, load.shop_id, DOMAIN, resource, "", 0, "")


def river_fail(river_: River, *loads: LoadRun) -> None:
    for load in loads:
        river.fail(river_.database, load, "canceled")


def purge(river_: River, *, now: datetime | None = None) -> Purged:
    return delete_past(
        river_.database, river_.settings.artifact_root, now=now or datetime.now(UTC), kept=timedelta(days=30)
    )


def write(path: str) -> str:
    files_, inside = files_of(path)
    files_.makedirs(inside.rsplit("/", 1)[0], exist_ok=True)
    with fsspec.open(path, "wb") as file:
        file.write(b"{}\n")
    return path


def files(root: str) -> set[str]:
    files_, inside = files_of(root)
    return set(files_.find(inside))
