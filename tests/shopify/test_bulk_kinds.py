"""Exports of several operations, one for each type of metaobjects: one artifact, or none."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from neanelu_pipelines.sandbox.admin.bulk import Pace as SandboxPace
from neanelu_pipelines.sandbox.admin.faults import Trouble
from neanelu_pipelines.shopify.bulk import ledger
from neanelu_pipelines.shopify.bulk.pieces import Shelf
from neanelu_pipelines.shopify.documents import document
from neanelu_pipelines.shopify.faults import Refused, Unavailable
from neanelu_pipelines.shopify.replies import Reply
from tests.shopify.bulk import Desk, Mortals
from tests.shopify.desks import SLOW, MakeDesk, finish, operations, result_of

METAOBJECTS = (document("metaobjects"), "metaobjects")
TYPES = ("ghid_plantare", "marime", "producator")
"""The sandbox's; of the second it has none."""


KILLS = (2, 18, 20, 22, 24, 39, 52, 56, 999)
"""Of some 58 places that an export passes: around the second type's start (its state is written, the request not yet
sent, sent and not heard of), and where the artifact is put together."""


class Lists:
    """A client that lists these types, page by page, whatever the shop has; or raises what stands in their place."""

    def __init__(self, client: Any, *listed: Any) -> None:
        self._client, self._listed = client, list(listed)

    def execute(self, text: str, variables: Mapping[str, Any] | None = None, *, cost: float | None = None) -> Reply:
        if "metaobjectDefinitions" not in text:
            return self._client.execute(text, variables, cost=cost)  # type: ignore[no-any-return]
        names = self._listed.pop(0)
        if isinstance(names, Exception):
            raise names
        page = {"hasNextPage": bool(self._listed), "endCursor": f"after {names}"}
        return Reply({"metaobjectDefinitions": {"nodes": [{"type": name} for name in names], "pageInfo": page}}, None)


def types_of(path: Path) -> list[str]:
    """The types in the order in which they first stand in an artifact."""
    return list(dict.fromkeys(json.loads(line)["type"] for line in path.read_bytes().splitlines()))


def kept(desk: Desk, run_id: object) -> list[str]:
    """The files that the artifact store holds of a run."""
    folder = desk.root / desk.domain / "metaobjects"
    return sorted(path.name for path in folder.glob(f"{run_id}*"))


def test_every_type_becomes_part_of_one_artifact(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()

    outcome = desk.export(*METAOBJECTS)

    assert outcome.status == "ready"
    done = operations(desk, sandbox)
    assert [next(name for name in TYPES if f'"{name}"' in one.query) for one in done] == list(TYPES)
    path, size, rows, checksum = result_of(desk, outcome.run_id)
    data = path.read_bytes()
    assert data == b"".join(one.path.read_bytes() for one in done)
    assert (size, rows, checksum) == (len(data), 12, hashlib.sha256(data).hexdigest())
    assert types_of(path) == ["ghid_plantare", "producator"]
    assert (desk.run(outcome.run_id)[:3], kept(desk, outcome.run_id)) == (("running", ["jsonl"], False), [path.name])
    ((records, operation, before),) = desk.rows(
        "SELECT records_processed, shopify_operation_id, (cursor_state ->> 'as_of')::timestamptz < ended"
        " FROM bulk_runs r, LATERAL (SELECT min(completed_at) AS ended FROM bulk_steps) s"
    )
    assert (records, operation, before) == (12, done[-1].gid, True)
    assert desk.rows("SELECT records_processed FROM bulk_steps ORDER BY started_at") == [(6,), (0,), (6,)]
    desk.take(outcome.run_id)
    assert desk.export(*METAOBJECTS).run_id != outcome.run_id


def test_a_shop_without_any_type_has_an_empty_and_whole_export(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    with desk.client() as client:
        outcome = desk.advance(desk.begin(*METAOBJECTS), client=Lists(client, []))
    assert (outcome.status, outcome.operation_id, operations(desk, sandbox)) == ("ready", None, [])
    path, size, rows, _ = result_of(desk, outcome.run_id)
    assert (path.read_bytes(), size, rows) == (b"", 0, 0)
    assert desk.run(outcome.run_id)[0] == "running"


def test_types_are_asked_for_once_and_one_that_is_gone_by_then_has_no_rows(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SLOW)
    run_id = desk.begin(*METAOBJECTS)
    with desk.client() as client:
        with pytest.raises(Unavailable):
            desk.advance(run_id, client=Lists(client, ["producator"], Unavailable("cut off")))
        assert desk.begin(*METAOBJECTS) == run_id
        listed = Lists(client, ["producator", "disparut"], ["producator"])
        assert desk.advance(run_id, client=listed, wait=0).status == "waiting"
    finish(desk, sandbox)

    outcome = desk.advance(run_id)

    assert outcome.status == "ready"
    assert ["disparut" in one.query for one in operations(desk, sandbox)] == [True, False]
    assert types_of(result_of(desk, run_id)[0]) == ["producator"]


def test_a_type_without_a_name_ends_it(desk_of: MakeDesk) -> None:
    desk, _ = desk_of()
    run_id = desk.begin(*METAOBJECTS)
    with desk.client() as client, pytest.raises(Refused):
        desk.advance(run_id, client=Lists(client, ["producator", None]))
    assert desk.run(run_id)[:3] == ("failed", [], False)


@pytest.mark.parametrize("partial", [True, False])
def test_a_type_that_fails_fails_the_export_and_nothing_of_the_others_is_an_artifact(
    desk_of: MakeDesk, *, partial: bool
) -> None:
    desk, sandbox = desk_of()
    desk = replace(desk, pace=replace(desk.pace, late_url=0.1))
    sandbox.faults.add(Trouble.BULK_FAILED, shop=desk.domain, matching='"producator"', partial=partial)

    outcome = desk.export(*METAOBJECTS)

    assert (outcome.status, outcome.reason, outcome.transient) == ("failed", "INTERNAL_SERVER_ERROR", True)
    assert (outcome.message or "").count("The type 'producator'") == 1, "whatever it was told on the way"
    status, kinds, held, _ = desk.run(outcome.run_id)
    assert (status, kinds, held) == ("failed", ["partial"] if partial else [], False)
    assert kept(desk, outcome.run_id) == ([f"{outcome.run_id}.partial.jsonl"] if partial else [])
    if partial:
        assert types_of(result_of(desk, outcome.run_id)[0]) == ["producator"]
    assert desk.export(*METAOBJECTS).status == "ready", "a new one asks for all of them"


def test_it_goes_on_at_the_type_where_it_was_and_a_webhook_hurries_that_one(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SandboxPace(running=0.1))
    desk = replace(desk, pace=replace(desk.pace, first_poll=3600, longest_poll=3600))
    run_id = desk.begin(*METAOBJECTS)
    seen = []
    for _ in range(20):
        outcome = desk.advance(run_id, wait=0)
        if outcome.status != "waiting":
            break
        seen.append(outcome.operation_id)
        operations(desk, sandbox)[-1].done.wait()
        with ledger.opened(desk.database) as book:
            assert ledger.due_exports(book, desk.rows("SELECT now()")[0][0]) == []
            assert ledger.hurry_export(book, desk.shop_id, str(outcome.operation_id)) == run_id
    assert outcome.status == "ready"
    assert list(dict.fromkeys(seen)) == [one.gid for one in operations(desk, sandbox)]


def test_what_was_damaged_in_the_store_meanwhile_is_no_artifact(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of(pace=SLOW)
    run_id = desk.begin(*METAOBJECTS)
    while len(operations(desk, sandbox)) < 2:
        desk.advance(run_id, wait=0.1)
        operations(desk, sandbox)[0].started -= 3600
    (piece,) = (desk.root / desk.domain / "metaobjects" / f"{run_id}.jsonl.pieces").glob("*.piece")
    piece.write_bytes(b"\0" * piece.stat().st_size)
    finish(desk, sandbox)

    outcome = desk.advance(run_id)

    assert (outcome.status, outcome.reason, outcome.transient) == ("failed", "INCOMPLETE", True)
    assert (desk.run(run_id)[:2], kept(desk, run_id)) == (("failed", []), [])


def test_killed_anywhere_it_ends_with_an_operation_for_each_type_and_the_same_bytes(desk_of: MakeDesk) -> None:
    desk, sandbox = desk_of()
    desk = replace(desk, asks=METAOBJECTS)
    died_between = 0
    with Mortals(desk) as mortals:
        for at in KILLS:
            before = len(operations(desk, sandbox))
            ended, places = mortals.export(at)
            ((run_id,),) = desk.rows("SELECT id FROM bulk_runs ORDER BY created_at DESC LIMIT 1")
            died_between += 0 < len(operations(desk, sandbox)) - before < len(TYPES)
            outcome = desk.advance(run_id)
            assert outcome.status == "ready"
            made = operations(desk, sandbox)[before:]
            assert [f'"{name}"' in one.query for name, one in zip(TYPES, made, strict=True)] == [True] * 3, at
            expected = b"".join(one.path.read_bytes() for one in made)
            path, _, _, checksum = result_of(desk, run_id)
            assert (path.read_bytes(), checksum) == (expected, hashlib.sha256(expected).hexdigest()), at
            assert kept(desk, run_id) == [path.name]
            desk.take(run_id)
    assert ended == 0
    assert died_between >= 3
    assert {"after keep_state", "after put", "after join", "after publish"} <= set(places)


def test_parts_of_an_artifact_leave_what_comes_before_them(tmp_path: Path) -> None:
    target = str(tmp_path / "a.jsonl")
    first = Shelf(target)
    first.put(0, b"one\n")
    second = Shelf(target, first.end())
    second.put(0, b"two\n")
    second.put(8, b"torn")
    assert (first.end(), second.end(), second.join().bytes) == (8, 4, 4)
    second.clear()
    assert (first.end(), second.end()) == (4, 0)
    second.put(0, b"due\n")
    assert (first.join().lines, second.join().lines) == (2, 1)
