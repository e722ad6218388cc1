"""The rotation of keys: materializing it puts every access token under the current key.

Belongs here: the asset and its figures. Does not belong here: the rotation itself (`neanelu_pipelines.shopify`).
"""

import time
from typing import TYPE_CHECKING

import dagster as dg

from neanelu_pipelines.defs.catalogue.specs import key_of, relation_spec
from neanelu_pipelines.defs.loads.faults import RETRIES, step_faults
from neanelu_pipelines.defs.warehouse import Warehouse

if TYPE_CHECKING:
    from neanelu_pipelines.shopify.rotation import Rotation

TABLE = "key_rotations"

_HOW = (
    "Materialize it after a key with a higher version was added to NEANELU_ENCRYPTION_KEYS: every access token is "
    "encrypted anew, in batches; killed half-way, the next run goes on. Afterwards the old key can be taken away."
)


def key_rotations_asset() -> dg.AssetsDefinition:
    """The asset of the table `key_rotations`. It runs when a person says so: a new key is a person's decision."""

    @dg.multi_asset(
        name=TABLE,
        specs=[relation_spec(TABLE, deps=[key_of("shops")], how=_HOW)],
        retry_policy=RETRIES,
    )
    def key_rotations(
        context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
    ) -> dg.MaterializeResult:  # type: ignore[type-arg]
        from neanelu_pipelines.shopify.rotation import rotate
        from neanelu_pipelines.shopify.vault import Keyring

        started = time.perf_counter()
        with step_faults(context, warehouse):
            keyring = Keyring.from_settings(warehouse.settings)
            done = rotate(warehouse.database, keyring)
            failed = [domain for rotation in done for domain in rotation.failed]
            if failed:
                raise dg.Failure(
                    description=f"{len(failed)} tokens did not open with their key; the others are under key version "
                    f"{keyring.current}. Give these shops a token again with `neanelu shop add`, or a webhook secret "
                    f"with `neanelu webhooks secret`: {', '.join(failed)}",
                    metadata=rotation_figures(done, time.perf_counter() - started),
                    allow_retries=False,
                )
        figures = rotation_figures(done, time.perf_counter() - started)
        return dg.MaterializeResult(metadata={**figures, "key_version": keyring.current})

    return key_rotations


def rotation_figures(done: "list[Rotation]", seconds: float) -> dict[str, int | float]:
    """What happened to the tokens."""
    rotated = sum(rotation.rotated for rotation in done)
    return {
        "rows_read": sum(rotation.read for rotation in done),
        "rows_updated": rotated,
        "rows_unchanged": sum(rotation.unchanged for rotation in done),
        "rows_rejected": sum(len(rotation.failed) for rotation in done),
        "seconds": round(seconds, 3),
        "rows_per_second": round(rotated / seconds, 1) if seconds > 0 else 0.0,
    }
