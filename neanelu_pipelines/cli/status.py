"""`neanelu status`: shops, loads, quality levels, queues, costs, freshness.

Belongs here: what is asked and how it is shown. Does not belong here: what is wrong and what to do (`doctor`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from neanelu_pipelines.cli.output import JsonOption, Output, bytes_text
from neanelu_pipelines.cli.troubles import shortened, troubles
from neanelu_pipelines.cli.world import open_world
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.statements import statement

RUNS_SHOWN = 10
LONGEST_REASON = 400
"""Characters of why a load has not completed; a path before the reason may take half of them."""

LATE_HOURS = 26.0
"""A resource that was not complete for longer is late, and its shop; the mirror's freshness policy says the same."""


def status(*, as_json: JsonOption = False) -> None:
    """Show the shops, what the mirror holds of them, and what has happened."""
    output = Output(as_json=as_json)
    world = open_world()
    world.require_schema()
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        found = read_status(connection)
    output.result({"status": "completed", **found})
    print_status(output, found)


def read_status(connection: psycopg.Connection) -> dict[str, list[dict[str, Any]]]:
    """Everything that the command shows, by heading."""
    found = {
        "shops": _rows(connection, "cli/shop_states"),
        "runs": _rows(connection, "cli/recent_runs", limit=RUNS_SHOWN),
        "quality": _rows(connection, "cli/quality_levels"),
        "queues": _rows(connection, "cli/queues"),
        "costs": _rows(connection, "cli/costs"),
    }
    found["troubles"] = [
        {"what": trouble.what, "found": trouble.found, "remedy": trouble.remedy}
        for trouble in troubles(connection)
        if trouble.found
    ]
    complete = _rows(connection, "cli/last_complete")
    for shop in found["shops"]:
        own = {row["resource"]: row["complete_at"] for row in complete if row["shop"] == shop["shop"]}
        shop["last_loaded_at"] = max(own.values(), default=None)
        shop["late"] = late(own, datetime.now(UTC)) if shop["installed"] else []
        shop["freshness"] = freshness(shop)
    return found


def late(complete: Mapping[str, datetime], now: datetime) -> list[str]:
    """The resources that are late, of those that were complete at least once, at these moments."""
    return [name for name, moment in sorted(complete.items()) if (now - moment).total_seconds() > LATE_HOURS * 3600]


def freshness(shop: Mapping[str, Any]) -> str:
    """fresh, late, never loaded, or no longer kept."""
    if not shop["installed"]:
        return "removed"
    if shop["last_loaded_at"] is None:
        return "never loaded"
    return "late" if shop["late"] else "fresh"


def print_status(output: Output, found: dict[str, list[dict[str, Any]]]) -> None:
    """For a person; what is empty is left out, but for the shops."""
    output.heading("Shops")
    if not found["shops"]:
        output.say(
            "none yet; `neanelu demo` makes some, `neanelu shop add DOMAIN` and `neanelu load … --create-shop` make one"
        )
    else:
        columns = ("shop", "plan_tier", "installed", "products", "variants", "last_loaded_at", "freshness")
        output.table(columns, [[shop[name] for name in columns] for shop in found["shops"]])
        for shop in found["shops"]:
            if shop["late"]:
                output.say(
                    f"{shop['shop']}: late are {', '.join(shop['late'])} (`neanelu sync --shop {shop['shop']}`, or "
                    "turn the schedules on)"
                )
    if found["troubles"]:
        output.heading("For somebody to look at")
        for trouble in found["troubles"]:
            output.say(f"{trouble['what']}: {trouble['found']}")
            output.say(f"    do: {trouble['remedy']}")
    if found["runs"]:
        output.heading("Newest loads")
        output.table(
            ("started", "shop", "resource", "status", "seconds", "bytes", "rejected", "why"),
            [
                (
                    run["started_at"],
                    run["shop"],
                    run["resource"],
                    run["status"],
                    run["seconds"],
                    bytes_text(run["bytes"] or 0),
                    run["rejected"],
                    shortened(why(run), LONGEST_REASON),
                )
                for run in found["runs"]
            ],
        )
    for heading, name in (("Quality levels", "quality"), ("Queues", "queues"), ("Costs of 30 days", "costs")):
        if found[name]:
            output.heading(heading)
            output.table(list(found[name][0]), [list(row.values()) for row in found[name]])


def why(run: dict[str, Any]) -> str:
    """Why a load has not completed: its error, or what it waits for."""
    if run["error"] or not run["waits_for_shopify"]:
        return str(run["error"] or "")
    due = f", to be asked again at {run['due'].astimezone():%H:%M:%S}" if run["due"] else ""
    return f"waits for Shopify{due}"


def _rows(connection: psycopg.Connection, name: str, **parameters: object) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement(name), parameters).fetchall()
