"""Upkeep of the database by the clock.

Belongs here: jobs, schedules and checks that keep the database in order. Does not belong here: the statements.
"""
