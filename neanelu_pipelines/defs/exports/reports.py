"""What Dagster shows of an export: the check of the scope, and why an artifact did not come.

Belongs here: check results, observations, run tags. Does not belong here: what happened (`bring`).
"""

import dagster as dg

from neanelu_pipelines.defs.exports.shares import Brought, Denied, LoadedElsewhere, Share, Waits

SCOPE_CHECK = "scope_granted"
SCOPE_CHECK_DESCRIPTION = (
    "The shop's token may read this resource. If it may not, the mirror's tables of the resource stay as they are; "
    "other resources are loaded."
)
EXPORT_TAG = "neanelu/export"
"""On runs: the export that the run took further."""
OUTCOME_TAG = "neanelu/outcome"
"""On runs that succeeded and brought nothing: `waiting`, `denied` or `elsewhere`."""


def scope_check(key: dg.AssetKey, share: Share | None) -> dg.AssetCheckResult:
    """The verdict on the token's scope; without an export no scope was needed."""
    denied = share if isinstance(share, Denied) else None
    if denied is not None:
        scope = f"the scope {denied.scope}" if denied.scope else "a scope that the query needs"
        words = f"The token lacks {scope}. Nothing was loaded and the mirror stays as it is. {denied.message}"
        words += " Give the app that scope, then give the shop the new token with `neanelu shop add`."
    else:
        words = "Loaded from a file: no scope is needed." if share is None else "Shopify took the query."
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=SCOPE_CHECK,
        passed=denied is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=words,
        metadata={"scope": denied.scope or "not named", "export": str(denied.export)} if denied else {},
    )


def say_why_nothing_came(context: dg.AssetExecutionContext, key: dg.AssetKey, share: Share) -> None:
    """Leave an observation of the artifact, a line in the log and tags on the run: nothing is materialized."""
    if isinstance(share, Brought):
        return
    outcome, words, metadata = _words(share)
    context.log.warning(words)
    context.log_event(
        dg.AssetObservation(
            asset_key=key,
            partition=context.partition_key,
            description=words,
            metadata={"outcome": outcome, "ledger_run_id": str(share.export), **metadata},
        )
    )
    context.instance.add_run_tags(context.run.run_id, {EXPORT_TAG: str(share.export), OUTCOME_TAG: outcome})


def brought_figures(share: Brought) -> dict[str, dg.MetadataValue]:
    """Of the export, besides the artifact's own figures."""
    figures: dict[str, dg.MetadataValue] = {
        "operation_id": dg.MetadataValue.text(share.operation_id or ""),
        "lines": dg.MetadataValue.int(share.objects),
        "object_count": dg.MetadataValue.int(share.objects),
        "requests": dg.MetadataValue.int(share.requests),
        "points_used": dg.MetadataValue.float(share.points),
        "seconds": dg.MetadataValue.float(round(share.seconds, 3)),
    }
    if share.created_at is not None:
        figures["as_of"] = dg.MetadataValue.timestamp(share.created_at)
    return figures


def _words(share: Waits | Denied | LoadedElsewhere) -> tuple[str, str, dict[str, dg.MetadataValue]]:
    if isinstance(share, Waits):
        metadata: dict[str, dg.MetadataValue] = {
            "operation_id": dg.MetadataValue.text(share.operation_id or "not started yet")
        }
        if share.due is not None:
            metadata["due"] = dg.MetadataValue.timestamp(share.due)
        what = share.message or f"Shopify is still at work on {share.operation_id or 'the export'}."
        words = f"{what} Nothing came in this run. The sensor exports_due goes on with it when it is due"
        return "waiting", words + (f" ({share.due.isoformat(timespec='seconds')})." if share.due else "."), metadata
    if isinstance(share, Denied):
        scope = share.scope or "not named"
        return (
            "denied",
            f"The token may not read this (scope: {scope}). {share.message}",
            {"scope": dg.MetadataValue.text(scope)},
        )
    return "elsewhere", f"The export {share.export} was brought in by another run; nothing is left to do here.", {}
