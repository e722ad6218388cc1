"""The `neanelu` command: one module per group of subcommands.

Belongs here: arguments, what is printed, exit statuses, processes that a command starts. Does not belong here: the
work; a command calls the room whose business it is. Dagster is imported only in `orchestra`, inside functions.
"""
