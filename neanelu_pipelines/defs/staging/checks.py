"""The checks that stand between staging and the mirror, as Dagster shows them.

Belongs here: their names and words, and one verdict of each for all shops of a run. Does not belong here: the checks'
own logic (`neanelu_pipelines.mirror`).

Dagster keeps one evaluation of a check per run. Of a run of several shops it says how many passed and which did not;
what each shop came to stands in the ledger and at its partitions. `newest_loads` is about all shops, so that a good
load of one does not make the page green while another's failed.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.defs.loads.keys import bare, staging_key
from neanelu_pipelines.defs.warehouse import Warehouse
from neanelu_pipelines.mirror.declarations import Resource
from neanelu_pipelines.mirror.reports import LoadRun, StagingCheck

CHECKS = {
    "counts_add_up": "Every line read was staged, found unchanged, knowingly ignored or rejected; none is lost.",
    "rejected_share": "No larger a share of the lines was rejected than NEANELU_MAX_REJECT_SHARE allows.",
    "staging_complete": "Staging holds as many rows as were copied into it; a crash of the server empties it.",
}
WARNINGS = {
    "artifact_whole": "The artifact does not end within a line, as one that was cut off does. What it holds is merged.",
}
NEWEST_LOADS = "newest_loads"
_NEWEST_LOADS = "No shop's newest load of this resource failed or was refused, whichever shops this run was about."
_SHOPS_NAMED = 20


def check_specs(checked: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of a load's staging, at that asset. What the blocking ones refuse is never merged."""
    return [
        *(
            dg.AssetCheckSpec(name, asset=checked, description=description, blocking=name in CHECKS)
            for name, description in (CHECKS | WARNINGS).items()
        ),
        dg.AssetCheckSpec(NEWEST_LOADS, asset=checked, description=_NEWEST_LOADS),
    ]


def newest_loads(warehouse: Warehouse, resource: Resource, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Whether any shop's newest load failed, as the ledger has it now, with their names."""
    with warehouse.database.connect(Role.PIPELINE) as connection:
        failed = connection.execute(statement("defs/newest_loads_failed"), {"resource": resource.name}).fetchall()
    told = "; ".join(f"{shop}: {error}" for shop, error in failed[:_SHOPS_NAMED])
    rest = f"; and {len(failed) - _SHOPS_NAMED} more" if len(failed) > _SHOPS_NAMED else ""
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=NEWEST_LOADS,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"The newest load failed of {told}{rest}" if failed else "No shop's newest load failed.",
        metadata={"shops_failed": len(failed)},
    )


def checked_key(resource: Resource) -> dg.AssetKey:
    """The table that carries the checks of the whole staging: the one named after the resource, if there is one."""
    named = (table for table in resource.staging_tables if bare(table) == f"staging_{resource.name}")
    return staging_key(resource, next(named, resource.staging_tables[0]))


class Verdicts:
    """What the checks said of each shop of a run."""

    def __init__(self) -> None:
        self._found: dict[str, list[tuple[LoadRun, StagingCheck]]] = {}

    def note(self, load: LoadRun, checks: Sequence[StagingCheck]) -> str | None:
        """Remember a shop's verdicts. Why its load is refused, or None if it is not."""
        for check in checks:
            self._found.setdefault(check.name, []).append((load, check))
        return "; ".join(f"{check.name}: {check.description}" for check in checks if check.refuses) or None

    def results(self, key: dg.AssetKey) -> Iterator[dg.AssetCheckResult]:
        """One result of each check that was made."""
        for name, found in self._found.items():
            failed = [(load, check) for load, check in found if not check.passed]
            yield dg.AssetCheckResult(
                asset_key=key,
                check_name=name,
                passed=not failed,
                severity=dg.AssetCheckSeverity.WARN if name in WARNINGS else dg.AssetCheckSeverity.ERROR,
                description=_words(found, failed),
                metadata=_figures(*found[0]) if len(found) == 1 else _shops(found, failed),
            )


def _words(found: Sequence[tuple[LoadRun, StagingCheck]], failed: Sequence[tuple[LoadRun, StagingCheck]]) -> str:
    if len(found) == 1:
        return found[0][1].description
    if not failed:
        return f"All {len(found)} shops passed."
    told = " ".join(f"{load.shop_domain}: {check.description}" for load, check in failed)
    return f"{len(failed)} of {len(found)} shops did not pass. {told}"


def _figures(load: LoadRun, check: StagingCheck) -> dict[str, int | float | str]:
    return {"shop": load.shop_domain, "ledger_run_id": str(load.run_id), **check.figures}


def _shops(
    found: Sequence[tuple[LoadRun, StagingCheck]], failed: Sequence[tuple[LoadRun, StagingCheck]]
) -> dict[str, int | str]:
    return {
        "shops": len(found),
        "shops_failed": len(failed),
        **({"failed": ", ".join(load.shop_domain for load, _ in failed)} if failed else {}),
    }
