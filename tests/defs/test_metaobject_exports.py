"""Metaobjects as Dagster runs them: several operations, and one artifact, one load, one materialization."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from neanelu_pipelines.database.connect import Database
from neanelu_pipelines.mirror.removals import work
from neanelu_pipelines.mirror.resources.metaobjects import METAOBJECTS
from neanelu_pipelines.sandbox.admin import GeneratedShop, Pace, Sandbox, Trouble
from neanelu_pipelines.sandbox.shop.generated import SCOPES
from tests.defs.office import Office, check_of, materializations, retries

TYPES = ("ghid_plantare", "marime", "producator")
ARTIFACT = dg.AssetKey(["artifacts", "metaobjects_jsonl"])
MIRROR = dg.AssetKey(["mirror", "shopify_metaobjects"])
DENIED = ("read_metaobjects", "read_metaobject_definitions")


class Cabinet(Office):
    """An office whose runs load metaobjects."""

    resource = METAOBJECTS

    def gids(self) -> set[str]:
        return {gid for (gid,) in self.rows("SELECT shopify_gid FROM shopify_metaobjects")}

    def in_shop(self) -> set[str]:
        metaobjects = self.sandbox.shop(self.domain).metaobjects
        return {table.node(int(at))["id"] for table in metaobjects.by_type.values() for at in table.indexes()}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    some = [GeneratedShop(f"sera-{number}.myshopify.com", seed=number, metaobjects=30) for number in range(4)]
    some.append(GeneratedShop("sera-mica.myshopify.com", seed=9, metaobjects=8))
    denied = [
        GeneratedShop(f"fara-{scope.replace('_', '-')}.myshopify.com", scopes=tuple(set(SCOPES) - {scope}))
        for scope in DENIED
    ]
    with Sandbox([*some, *denied], bucket=(20_000, 10_000)) as served:
        yield served


@pytest.fixture
def cabinet_of(
    sandbox: Sandbox, database: Database, tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Cabinet]:
    monkeypatch.setattr(dg.RetryPolicy, "calculate_delay", lambda *_: 0.01)
    return lambda name: Cabinet(sandbox, f"{name}.myshopify.com", database, tmp_path, instance)


def test_all_types_are_one_load_and_what_is_gone_from_the_shop_goes(cabinet_of: Callable[[str], Cabinet]) -> None:
    office = cabinet_of("sera-0")
    result = office.run()
    assert result.success
    assert len(office.gids()) == 30
    assert office.gids() == office.in_shop()
    assert office.states() == ["completed"]
    assert check_of(result).passed
    [artifact] = materializations(result, ARTIFACT)
    [mirror] = materializations(result, MIRROR)
    assert (artifact.metadata["lines"].value, mirror.metadata["rows_inserted"].value) == (30, 30)
    assert len(office.sandbox.bulk(office.domain).every()) == len(TYPES)

    gone = sorted(office.in_shop())[:2]
    for gid in gone:
        office.sandbox.shop(office.domain).delete(gid)
    assert office.run().success
    [load] = work.snapshots_waiting(office.database)
    removal = work.look_at(office.database, office.settings, load)

    assert (removal.outcome, removal.tables, removal.still_there) == ("removed", {"shopify_metaobjects": 2}, 0)
    assert office.gids() == office.in_shop()
    assert len(office.gids()) == 28


def test_a_type_that_is_not_listed_any_more_may_be_one_that_the_token_does_not_see(
    cabinet_of: Callable[[str], Cabinet], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = cabinet_of("sera-mica")
    assert office.run().success
    before = office.gids()
    shop = office.sandbox.shop(office.domain)
    unseen = [gid for (gid,) in office.rows("SELECT shopify_gid FROM shopify_metaobjects WHERE type = 'producator'")]
    for gid in unseen:
        shop.delete(gid)
    listed = [one for one in shop.metaobjects.definitions() if one["type"] != "producator"]
    monkeypatch.setattr(shop.metaobjects, "definitions", lambda: listed)
    assert office.run().success
    [load] = work.snapshots_waiting(office.database)

    refused = work.look_at(office.database, office.settings, load)

    assert (refused.outcome, office.gids()) == ("refused", before)
    assert "does not list the types producator" in refused.reason
    wished = work.look_at(office.database, office.settings, load, unconfirmed=True)
    assert (wished.tables, office.gids()) == ({"shopify_metaobjects": len(unseen)}, before - set(unseen))


def test_a_wait_that_ends_between_types_is_gone_on_with_and_nothing_is_shown_as_loaded(
    cabinet_of: Callable[[str], Cabinet],
) -> None:
    office = cabinet_of("sera-1")
    bulk = office.sandbox.bulk(office.domain)
    bulk.pace = Pace(running=3600)
    office.wait(0.1)
    request = None
    for begun in (1, 2, 3):
        result = office.run(request)
        assert result.success
        assert not result.get_asset_materialization_events()
        assert (office.states(), len(bulk.every())) == (["pending"], begun)
        bulk.every()[-1].started -= 7200
        office.make_due()
        [request] = office.tick()
        assert request.job_name == "load_metaobjects"

    result = office.run(request)

    assert [len(materializations(result, key)) for key in (ARTIFACT, MIRROR)] == [1, 1]
    assert office.gids() == office.in_shop()
    assert (office.states(), office.tick()) == (["completed"], [])


def test_a_type_that_fails_is_asked_for_again_with_all_others_and_never_merged_in_part(
    cabinet_of: Callable[[str], Cabinet],
) -> None:
    office = cabinet_of("sera-2")
    office.sandbox.faults.add(Trouble.BULK_FAILED, shop=office.domain, matching='"producator"')

    result = office.run()

    assert result.success
    assert (retries(office, result.run_id), office.states()) == (1, ["failed", "completed"])
    assert office.rows("SELECT artifact_type, rows_count FROM bulk_artifacts ORDER BY created_at") == [
        ("partial", 7),
        ("jsonl", 30),
    ]
    [mirror] = materializations(result, MIRROR)
    assert mirror.metadata["rows_inserted"].value == 30, "the other types of the first try were not merged before"
    assert len(office.sandbox.bulk(office.domain).every()) == 2 * len(TYPES)


@pytest.mark.parametrize("scope", DENIED)
def test_a_missing_scope_is_a_warning_that_names_it(cabinet_of: Callable[[str], Cabinet], scope: str) -> None:
    office = cabinet_of(f"fara-{scope.replace('_', '-')}")

    result = office.run()

    assert result.success
    assert not result.get_asset_materialization_events()
    check = check_of(result)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["scope"].value == scope
    assert (office.states(), office.gids()) == (["failed"], set())
