"""Everything Dagster: which assets exist, when they run, what is checked; one folder per asset group.

Belongs here: the wiring of rooms into assets, jobs, sensors, schedules and checks, and the metadata that the UI shows.
Does not belong here: what a step does; that lives in the room whose business it is, and no room imports this one.
"""
