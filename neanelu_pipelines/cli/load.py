"""`neanelu load`: a bulk JSONL from disk or an object store into the mirror, through Dagster's assets.

Belongs here: the command. Does not belong here: running it (`orchestra`).
"""

from pathlib import Path
from typing import Annotated

import typer

from neanelu_pipelines.cli.outcome import print_outcome
from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.cli.shops import create_shop, require_shop
from neanelu_pipelines.cli.world import open_world
from neanelu_pipelines.defs.artifacts.moments import parse_moment
from neanelu_pipelines.errors import NeaneluError
from neanelu_pipelines.mirror.resources import resource_named


class LoadArgumentError(NeaneluError):
    """An argument of `load` that cannot be meant."""


def load(
    file: Annotated[str, typer.Argument(help="A bulk result: JSONL, plain or gzip; a path or an fsspec URL.")],
    *,
    shop: Annotated[str, typer.Option(help="The shop's domain, e.g. my-shop.myshopify.com.")],
    resource: Annotated[str, typer.Option(help="What the file holds, e.g. products.")],
    as_of: Annotated[
        str | None,
        typer.Option(
            help="When Shopify made the export (ISO 8601 with an offset). Default: now. Rows known to be newer stay."
        ),
    ] = None,
    create: Annotated[
        bool, typer.Option("--create-shop", help="Make the shop, without a token, if it is not there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Load a file of one shop into the mirror, through the same assets that the Dagster UI shows."""
    from neanelu_pipelines.mirror.artifacts import shown

    output = Output(as_json=as_json)
    resource_named(resource)
    moment = parse_moment(as_of)
    source = file if "://" in file else existing_file(file)
    world = open_world()
    with output.progress(f"Loading {shown(file)}") as progress:
        world.require_schema()
        if create:
            create_shop(world, shop)
        domain = require_shop(world, shop, or_else="; or make it without one, for files from disk: --create-shop")
        from neanelu_pipelines.cli.orchestra import run_load

        outcome = run_load(world, shop=domain, resource=resource, source=source, as_of=moment, say=progress.update)
    output.result(outcome.as_object())
    print_outcome(output, outcome)
    if not outcome.succeeded:
        output.error(outcome.error or "the load failed; the run in the Dagster UI says why")
        raise typer.Exit(1)


def existing_file(path: str) -> str:
    """The absolute path of a file that is there.

    Raises:
        LoadArgumentError: it is not there, not a file, or has a name that means something else in a URL.
    """
    found = Path(path).absolute()
    if found.is_dir():
        raise LoadArgumentError(f"{found} is a folder: name one file of it, e.g. {found / 'products.jsonl'}.")
    if found.exists() and not found.is_file():
        raise LoadArgumentError(
            f"{found} is no file but a pipe or a device: its bytes come only once, and a load keeps and reads them "
            "again. Write them to a file first, plain or gzip, and load that."
        )
    if not found.is_file():
        raise LoadArgumentError(f"There is no file {found}.")
    if "::" in str(found):
        raise LoadArgumentError(
            f'The path {found} cannot be used: in it "::" would stand between two file systems, as in '
            "simplecache::s3://bucket/file. Rename the file or folder, or load it from elsewhere."
        )
    return str(found)
