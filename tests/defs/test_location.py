"""The location loads anywhere, quickly, without a database; its configuration is valid."""

import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import yaml
from dagster._config import validate_config
from dagster._core.instance.config import dagster_instance_config_schema

from neanelu_pipelines.defs.build import build_defs

ROOT = Path(__file__).resolve().parent.parent.parent

PROBE = """
import sys, time
started = time.perf_counter()
import dagster as dg
dagster_took = time.perf_counter() - started
from neanelu_pipelines import definitions
defs = definitions.definitions()
dg.Definitions.validate_loadable(defs)
print(time.perf_counter() - started - dagster_took)
print(*[name for name in ("polars", "pyarrow", "numpy", "psycopg2", "fsspec") if name in sys.modules])
"""


def test_it_loads_in_a_fresh_interpreter_with_an_empty_environment(tmp_path: Path) -> None:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env={}, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    own, heavy = done.stdout.split("\n")[:2]
    assert heavy == "", "heavy libraries belong inside functions"
    assert float(own) < 5, f"our own modules took {own} s ({time.perf_counter() - started:.1f} s in all)"
    assert not list(tmp_path.iterdir()), "loading leaves nothing behind"


def test_dagster_yaml_is_valid_and_says_what_must_hold() -> None:
    config = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    checked = validate_config(dagster_instance_config_schema(), config)
    assert checked.success, checked.errors
    assert list(config["storage"]) == ["postgres"]
    assert config["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert config["run_monitoring"]["enabled"] is True
    assert config["run_monitoring"]["max_runtime_seconds"] > 0
    assert config["run_monitoring"]["free_slots_after_run_end_seconds"] > 0
    assert config["concurrency"]["runs"]["max_concurrent_runs"] > 0
    limits = config["concurrency"]["runs"]["tag_concurrency_limits"]
    assert [limit["key"] for limit in limits] == ["neanelu/shop", "dagster/backfill"]
    for limit in limits:
        assert limit["value"] == {"applyLimitPerUniqueValue": True}
        assert limit["limit"] < config["concurrency"]["runs"]["max_concurrent_runs"]
    assert config["concurrency"]["pools"]["granularity"] == "op"
    assert config["concurrency"]["pools"]["default_limit"] < config["concurrency"]["runs"]["max_concurrent_runs"]
    assert config["telemetry"] == {"enabled": False}
    assert config["nux"] == {"enabled": False}
    assert config["retention"]


def test_steps_stand_in_the_pools_that_dagster_yaml_limits() -> None:
    pools = {
        op.name: op.pool
        for asset in build_defs().resolve_asset_graph().assets_defs
        if asset.is_executable
        for op in [asset.node_def]
        if isinstance(op, dg.OpDefinition)
    }
    loads = {name: pool for name, pool in pools.items() if name.endswith("_load")}
    assert loads
    assert set(loads.values()) == {"loads"}


def test_workspace_names_the_location() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))
    assert workspace["load_from"][0]["python_module"]["module_name"] == "neanelu_pipelines.definitions"
