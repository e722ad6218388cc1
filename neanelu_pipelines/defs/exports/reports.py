"""What Dagster shows of an export: the check of the scope, and why an artifact did not come.

Belongs here: check results, observations, run tags. Does not belong here: what happened (`bring`).
"""

from collections.abc import Iterable

import dagster as dg

from neanelu_pipelines.defs.exports.shares import Brought, Denied, LoadedElsewhere, Share, Waits

SCOPE_CHECK = "scope_granted"
SCOPE_CHECK_DESCRIPTION = (
    "The shop's token may read this resource. If it may not, the mirror's tables of the resource stay as they are; "
    "other resources are loaded. If it may read a part only (orders without read_all_orders), that part is loaded."
)
EXPORT_TAG = "neanelu/export"
"""On runs: the export that the run took further."""
OUTCOME_TAG = "neanelu/outcome"
"""On runs that succeeded and brought nothing: `waiting`, `denied` or `elsewhere`."""


class Outcomes:
    """What became of each shop's artifact in one run."""

    def __init__(self) -> None:
        self._shares: dict[str, Share | None] = {}

    def note(self, shop: str, share: Share | None) -> None:
        """Remember a shop's share; None: it was loaded from a file."""
        self._shares[shop] = share

    def why_nothing_came(self, shop: str) -> tuple[str, dict[str, dg.MetadataValue | str]]:
        """For a shop without a load: the words, and the metadata of an observation. Nothing is materialized."""
        share = self._shares[shop]
        if share is None or isinstance(share, Brought):
            raise ValueError(f"{shop} has a load")
        outcome, words, metadata = _words(share)
        return words, {"outcome": outcome, "ledger_run_id": str(share.export), **metadata}

    def run_tags(self) -> dict[str, str]:
        """For the run: the exports that brought nothing, and how that came. Several stand with commas between them."""
        without = [share for share in self._shares.values() if share is not None and not isinstance(share, Brought)]
        if not without:
            return {}
        return {
            EXPORT_TAG: ",".join(str(share.export) for share in without),
            OUTCOME_TAG: ",".join(sorted({_words(share)[0] for share in without})),
        }

    def scope_check(self, key: dg.AssetKey) -> dg.AssetCheckResult | None:
        """The verdict on the tokens' scopes, of all shops of the run; None if none came so far."""
        if not self._shares:
            return None
        denied = {shop: share for shop, share in self._shares.items() if isinstance(share, Denied)}
        part = {shop: share.lacks for shop, share in self._shares.items() if isinstance(share, Brought) and share.lacks}
        if denied or part:
            words = " ".join(
                [_lacks(shop, share) for shop, share in denied.items()]
                + [_shows_a_part(shop, scope) for shop, scope in part.items()]
            )
        else:
            asked = any(share is not None for share in self._shares.values())
            words = "Shopify took the query." if asked else "Loaded from a file: no scope is needed."
        named = [share.scope or "not named" for share in denied.values()]
        return dg.AssetCheckResult(
            asset_key=key,
            check_name=SCOPE_CHECK,
            passed=not denied and not part,
            severity=dg.AssetCheckSeverity.WARN,
            description=words,
            metadata={
                "shops": len(self._shares),
                **({"scope": _each(scopes)} if (scopes := [*named, *part.values()]) else {}),
                **({"export": _each(str(share.export) for share in denied.values())} if denied else {}),
            },
        )


def _lacks(shop: str, share: Denied) -> str:
    scope = f"the scope {share.scope}" if share.scope else "a scope that the query needs"
    return (
        f"The token of {shop} lacks {scope}. Nothing was loaded and the mirror stays as it is. {share.message} Give "
        "the app that scope, then give the shop the new token with `neanelu shop add`."
    )


def _shows_a_part(shop: str, scope: str) -> str:
    return (
        f"The token of {shop} lacks the scope {scope}, and Shopify shows it a part only (of the orders, those of the "
        "last 60 days). What it showed was loaded. Once the shop has a token with that scope (`neanelu shop add`), the "
        "next load of what changed, or of everything, brings the rest."
    )


def _each(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(texts))


def brought_figures(share: Brought, requests: int, points: float) -> dict[str, dg.MetadataValue]:
    """Of the export, besides the artifact's own figures: what was asked of Shopify since the run began with it."""
    figures: dict[str, dg.MetadataValue] = {
        "operation_id": dg.MetadataValue.text(share.operation_id or ""),
        "lines": dg.MetadataValue.int(share.objects),
        "object_count": dg.MetadataValue.int(share.objects),
        "requests": dg.MetadataValue.int(requests),
        "points_used": dg.MetadataValue.float(points),
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
        if share.gave_way:
            what += " Others wait for this run's place in the pool of loads, so it gave the place up."
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
