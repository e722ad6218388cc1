"""`neanelu demo`: everything on this machine, with no account and no network, and a summary of what was made.

Belongs here: the story and its summary. Does not belong here: the made-up catalogue (`sandbox`), loading (`orchestra`).
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from neanelu_pipelines.cli.demo_live import DOMAIN, NAME, DemoFailedError, Live, tell_live
from neanelu_pipelines.cli.dev import serve
from neanelu_pipelines.cli.outcome import LoadOutcome, print_rejections
from neanelu_pipelines.cli.output import JsonOption, Output, bytes_text, this_command
from neanelu_pipelines.cli.shops import create_shop
from neanelu_pipelines.cli.world import World, open_world
from neanelu_pipelines.database.connect import Role
from neanelu_pipelines.database.migrations import migrate
from neanelu_pipelines.database.statements import statement
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.sandbox.catalogue import write_products
from neanelu_pipelines.sandbox.faults import Fault
from neanelu_pipelines.shopify.vault import Keyring, SealedToken

FAULTS = (
    Fault.MALFORMED,
    Fault.INVALID_UTF8,
    Fault.UNKNOWN_TYPE,
    Fault.NULL_TITLE,
    Fault.UNKNOWN_STATUS,
    Fault.BAD_PRICE,
    Fault.OVERLONG_VENDOR,
    Fault.ORPHAN,
)
"""What is wrong with lines of the first shop's file: Shopify, the network and merchants all make mistakes."""


class DemoRefusedError(NeaneluError):
    """The demo would write where it must not."""


CHANGED = 0.01

FEWEST = 100
"""With fewer products the bad lines would be a larger share than a load may reject."""


@dataclass(frozen=True)
class DemoShop:
    """A shop of the demo; its goods follow from the seed."""

    domain: str
    name: str
    seed: int
    share: float
    """Of the asked number of products."""


SHOPS = (
    DemoShop("gradina-verde.myshopify.com", "Grădina Verde, Cluj-Napoca", seed=1, share=1.0),
    DemoShop("atelierul-de-scule.myshopify.com", "Atelierul de Scule, Brașov", seed=2, share=0.4),
)


@dataclass
class Story:
    """What happened, for the summary."""

    migrations: int = 0
    loads: list[tuple[str, LoadOutcome]] = field(default_factory=list)
    live: Live = field(default_factory=Live)


def demo(
    *,
    products: Annotated[
        int, typer.Option(min=FEWEST, help="How many products the larger shop has; the smaller one has 40 % of that.")
    ] = 5000,
    ui: Annotated[bool, typer.Option("--ui", "--keep-open", help="Open the Dagster UI after the summary.")] = False,
    port: Annotated[int | None, typer.Option(min=1024, max=65535, help="The UI's port, with --ui.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Server, schema, two made-up shops loaded from files, a third synced from a local Admin API; a summary."""
    output = Output(as_json=as_json)
    world = open_world()
    refuse_elsewhere(world)
    started = time.perf_counter()
    with output.progress("Starting PostgreSQL") as progress:
        story = _tell(world, products, progress.update)
    seconds = time.perf_counter() - started
    output.result(_as_object(story, seconds))
    _print_summary(output, world, story, seconds)
    if ui:
        serve(output, world, port=port)


def refuse_elsewhere(world: World) -> None:
    """Let the demo write nowhere but into the home's own server.

    Raises:
        DemoRefusedError: another database is named, whose shops may be real.
    """
    chosen = world.settings
    databases = {
        "NEANELU_DATABASE_URL": chosen.database_url,
        "NEANELU_DAGSTER_DATABASE_URL": chosen.dagster_database_url,
    }
    named = [name for name, value in databases.items() if value is not None]
    if named:
        raise DemoRefusedError(
            f"The demo makes shops up and writes into its own PostgreSQL only: unset {' and '.join(named)} (in the "
            "environment and in .env), or use `neanelu sandbox` for made-up shops beside yours."
        )


def refuse_real_shops(world: World) -> None:
    """Leave a shop alone that is here under a domain of the demo's.

    Raises:
        DemoRefusedError: one has an access token, and not one that an earlier demo was killed with.
    """
    with world.database.connect(Role.PIPELINE, autocommit=True) as connection:
        kept = connection.execute(statement("cli/sealed_tokens")).fetchall()
    ours = {DOMAIN, *(shop.domain for shop in SHOPS)}
    for shop_id, domain, *sealed in kept:
        # The demo gives a token to one of its shops only, and throws the key away.
        left_behind = domain == DOMAIN and not _opens(world, SealedToken(*sealed), shop_id)
        if domain in ours and not left_behind:
            raise DemoRefusedError(
                f"{domain} has an access token in {world.home}, and the demo would write over its rows: set "
                "NEANELU_HOME to another folder for the demo."
            )


def _opens(world: World, sealed: SealedToken, shop_id: UUID) -> bool:
    return world.settings.encryption_keys is not None and Keyring.from_settings(world.settings).opens(sealed, shop_id)


def _tell(world: World, products: int, say: Callable[[str], None]) -> Story:
    story = Story()
    say("Applying the schema")
    story.migrations = len(migrate(world.database))
    refuse_real_shops(world)
    files = world.home / "demo"
    files.mkdir(parents=True, exist_ok=True)
    for shop in SHOPS:
        create_shop(world, shop.domain)
        _load_shop(world, shop, max(1, int(products * shop.share)), files, story, say)
    story.live = tell_live(world, products, say)
    _fill_inbox(world, DOMAIN, Path(story.live.products_file))
    return story


def _load_shop(
    world: World, shop: DemoShop, products: int, files: Path, story: Story, say: Callable[[str], None]
) -> None:
    first_shop = shop is SHOPS[0]
    path = files / f"{shop.domain.partition('.')[0]}.jsonl"
    say(f"Writing the catalogue of {shop.name}")
    write_products(path, products, seed=shop.seed, faults=FAULTS if first_shop else ())
    _load(world, shop, path, "first", story, say)
    if first_shop:
        _load(world, shop, path, "again", story, say)
        changed = files / f"{path.stem}-changed.jsonl"
        say(f"Changing {CHANGED:.0%} of it")
        write_products(changed, products, seed=shop.seed, changed_share=CHANGED, faults=FAULTS)
        _load(world, shop, changed, f"{CHANGED:.0%} changed", story, say)
    _fill_inbox(world, shop.domain, path)


def _load(world: World, shop: DemoShop, path: Path, what: str, story: Story, say: Callable[[str], None]) -> None:
    from neanelu_pipelines.cli.orchestra import run_load

    outcome = run_load(
        world,
        shop=shop.domain,
        resource="products",
        source=str(path),
        as_of=None,
        say=lambda step: say(f"{shop.name}, {what}: {step}"),
    )
    if not outcome.succeeded:
        raise DemoFailedError(f"Loading {path} failed: {outcome.error} `neanelu doctor` says what is wrong.")
    story.loads.append((what, outcome))


def _fill_inbox(world: World, domain: str, path: Path) -> None:
    """Leave the file where a materialization by hand finds it, if artifacts are kept in a folder."""
    root = world.settings.artifact_root
    if "://" not in root:
        inbox = Path(root) / "inbox" / domain
        inbox.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, inbox / "products.jsonl")


def _as_object(story: Story, seconds: float) -> dict[str, object]:
    return {
        "status": "completed",
        "seconds": round(seconds, 3),
        "migrations": story.migrations,
        "loads": [{"what": what, **outcome.as_object()} for what, outcome in story.loads],
        "syncs": [outcome.as_object() for outcome in story.live.syncs],
        "change": asdict(story.live.change) if story.live.change else None,
    }


def _print_summary(output: Output, world: World, story: Story, seconds: float) -> None:
    names = {DOMAIN: NAME, **{shop.domain: shop.name for shop in SHOPS}}
    loads = [*story.loads, *((f"{outcome.resource}, Admin API", outcome) for outcome in story.live.syncs)]
    output.say()
    output.heading(f"Done in {seconds:.0f} s: {len(names)} shops in PostgreSQL 18, loaded by Dagster")
    output.say()
    output.table(
        ("shop", "load", "file", "seconds", "MB/s", "lines", "rejected", "inserted", "updated"),
        [
            (
                names[outcome.shop],
                what,
                bytes_text(outcome.bytes),
                outcome.seconds,
                outcome.bytes / outcome.seconds / 1e6,
                *(outcome.rows[kind] for kind in ("read", "rejected", "inserted", "updated")),
            )
            for what, outcome in loads
        ],
    )
    output.say()
    for domain, tables in _rows_of(loads).items():
        output.say(f"{names[domain]} has " + ", ".join(f"{rows:,} {table}" for table, rows in tables.items()))
    if change := story.live.change:
        output.say(
            f"{NAME} changed a price, and its webhook was in the mirror after {change.seconds:.1f} s: "
            f"{change.product}, {change.before} → {change.after} lei"
        )
    output.say()
    first = story.loads[0][1]
    output.heading(f"{first.rows['rejected']} lines of {names[first.shop]} were rejected; the rest was loaded")
    print_rejections(output, first)
    output.say()
    _print_where_to_look(output, world, first)


def _rows_of(loads: list[tuple[str, LoadOutcome]]) -> dict[str, dict[str, int]]:
    """What each shop has now, by table."""
    found: dict[str, dict[str, int]] = {}
    for _, outcome in loads:
        found.setdefault(outcome.shop, {}).update(outcome.totals)
    return found


def _print_where_to_look(output: Output, world: World, first: LoadOutcome) -> None:
    command = this_command()
    output.heading(f"Where to look (commands for {Path.cwd()})")
    for what, where in (
        ("the graph, the runs, the checks", f"{command} dev    (materialize a shop's partition there by clicking)"),
        ("shops, loads, freshness", f"{command} status"),
        ("the rows", f'psql "$({command} database url)"    (then: TABLE shopify_products;)'),
        ("the rejected lines", f"bulk_errors, WHERE bulk_run_id = '{first.run_id}'"),
        ("the files", f"{world.home / 'demo'}, {world.settings.artifact_root}"),
        ("PostgreSQL keeps running", f"{command} database stop"),
    ):
        output.say(f"{what:<35}{where}")
