"""Neanelu Pipelines: Shopify shops mirrored into PostgreSQL 18 and golden records made over them, run by Dagster.

The folders are the design. From the wire upwards: `database` (connections, roles, migrations), `shopify` (what the
wire looks like), `mirror` (staging and merging), `sandbox` (what stands in for the outside); above them `defs`
(everything Dagster) and `cli` (the `neanelu` command). A room uses the rooms before it, never those after it.

Belongs here: what all rooms use and what is none's business alone: `errors`, `settings`, and the door that Dagster
opens, `definitions`. Does not belong here: work of any kind; that has a room. Importing the package imports nothing.
"""
