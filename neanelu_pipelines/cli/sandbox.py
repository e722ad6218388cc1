"""`neanelu sandbox`: made-up shops behind a local Admin API, until Ctrl-C.

Belongs here: the command. Does not belong here: the API and the shops (`neanelu_pipelines.sandbox`).
"""

import signal
from typing import Annotated

import typer

from neanelu_pipelines.cli.output import JsonOption, Output
from neanelu_pipelines.errors import NeaneluError

DEFAULT_PORT = 54380


class SandboxArgumentError(NeaneluError):
    """An argument of `sandbox` that cannot be meant, or a port that is taken."""


def sandbox(
    *,
    shop: Annotated[
        list[str] | None, typer.Option(help="A shop's domain; may be given several times. Default: two shops.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Shops follow from it; the second shop has the next one.")] = 1,
    products: Annotated[int, typer.Option(min=0, help="Products of each shop.")] = 1000,
    orders: Annotated[int, typer.Option(min=0, help="Orders of each shop.")] = 2000,
    customers: Annotated[int, typer.Option(min=0, help="Customers of each shop.")] = 500,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = DEFAULT_PORT,
    fault_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Trouble this share of requests, operations and downloads.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Serve made-up shops the way Shopify's Admin API would, on this machine only.

    Faults: POST /__faults with {"trouble": "throttle", "times": 2, …} or {"rate": 0.1, "seed": 1}; DELETE ends them.
    Changes: POST /__shop/DOMAIN with {"create": "Product"}, {"update": GID, "changes": {"title": …}}, {"delete": GID}
    or {"stock": GID, "changes": {"available": 3}}; it answers with the id.
    """
    from neanelu_pipelines.sandbox.admin import GeneratedShop, Sandbox

    output = Output(as_json=as_json)
    domains = shop or ["gradina-verde.myshopify.com", "casa-si-unelte.myshopify.com"]
    if len(set(domains)) < len(domains) or not all(domain.endswith(".myshopify.com") for domain in domains):
        raise SandboxArgumentError("Each --shop is a domain of its own that ends in .myshopify.com.")
    shops = [
        GeneratedShop(domain, seed=seed + place, products=products, orders=orders, customers=customers)
        for place, domain in enumerate(domains)
    ]
    served = Sandbox(shops, port=port)
    if fault_rate:
        served.faults.random(seed, fault_rate)
    try:
        served.open()
    except OSError as error:
        raise SandboxArgumentError(
            f"Port {port} of 127.0.0.1 is not to be had ({error.strerror}): choose another with --port, or 0."
        ) from error
    # The tokens are made up and open nothing but this: they may be shown.
    tokens = {domain: served.token(domain) for domain in domains}
    output.result({"status": "serving", "url_template": served.url_template, "tokens": tokens})
    output.say(f"Serving {served.url_template}; Ctrl-C ends it.")
    output.table(("shop", "access token"), list(tokens.items()))
    # uvicorn ends in good order and then raises the signal anew: the files must go in either case.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        served.serve_forever()
    except KeyboardInterrupt:
        output.say("Stopped.")
    finally:
        served.close()
