"""The queue that dagster.yaml names writes on a run of one shop whose it is, however its partitions are given."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pytest
import yaml

from neanelu_pipelines.defs.shops.coordinator import SHOP_TAG
from neanelu_pipelines.defs.shops.sensor import ONE_PARTITION, RANGE_END, RANGE_START

ROOT = Path(__file__).resolve().parent.parent.parent
A, B = "a-shop.myshopify.com", "b-shop.myshopify.com"


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    named = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    chosen = {"run_coordinator": named["run_coordinator"], "concurrency": {"runs": named["concurrency"]["runs"]}}
    with dg.instance_for_test(temp_dir=str(tmp_path_factory.mktemp("dagster")), overrides=chosen) as instance:
        yield instance


def test_the_limits_of_the_file_hold_for_it(queue: dg.DagsterInstance) -> None:
    assert isinstance(queue.run_coordinator, dg.QueuedRunCoordinator)
    config = queue.get_concurrency_config().run_queue_config
    assert config is not None
    assert config.max_concurrent_runs == 4
    assert SHOP_TAG in {limit["key"] for limit in config.tag_concurrency_limits}


@pytest.mark.parametrize(
    ("tags", "shop"),
    [
        ({ONE_PARTITION: A}, A),
        ({ONE_PARTITION: f"{A}|2025-03"}, A),
        ({RANGE_START: A, RANGE_END: A}, A),
        ({RANGE_START: f"{A}|2024-01", RANGE_END: f"{A}|2025-12"}, A),
        ({RANGE_START: f"{A}|2024-01", RANGE_END: f"{B}|2024-01"}, None),
        ({}, None),
    ],
)
def test_a_run_of_one_shop_is_tagged_with_it(
    queue: dg.DagsterInstance, tags: Mapping[str, str], shop: str | None
) -> None:
    @dg.job
    def nothing() -> None:
        """Does nothing."""

    # Begun already: into the queue goes only what a code location told of.
    run = queue.create_run_for_job(nothing, tags=dict(tags), status=dg.DagsterRunStatus.STARTED)
    queued = queue.run_coordinator.submit_run(dg.SubmitRunContext(run, workspace=None))  # type: ignore[arg-type]
    assert queued.tags.get(SHOP_TAG) == shop


@pytest.mark.parametrize(
    ("config", "tags", "priority"),
    [
        ({"source": "/srv/produse.jsonl"}, {}, "1"),
        ({"as_of": "2025-10-01T00:00:00Z"}, {}, "1"),
        ({"source": "/srv/produse.jsonl"}, {"dagster/priority": "-3"}, "-3"),
        ({"source": None, "since_last": True}, {}, None),
        (None, {}, None),
    ],
)
def test_files_are_let_in_first(
    queue: dg.DagsterInstance, config: Mapping[str, object] | None, tags: Mapping[str, str], priority: str | None
) -> None:
    run = dg.DagsterRun(
        job_name="load_products",
        status=dg.DagsterRunStatus.STARTED,
        run_config={"ops": {"products_load": {"config": config}}},
        tags=tags,
    )
    queue.add_run(run)
    queued = queue.run_coordinator.submit_run(dg.SubmitRunContext(run, workspace=None))  # type: ignore[arg-type]
    assert queued.tags.get("dagster/priority") == priority
