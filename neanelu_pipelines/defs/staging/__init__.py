"""The group `staging`: a load's rows as they were read, checked before anything is merged.

Belongs here: the staging step and its blocking checks. Does not belong here: how lines become rows.
"""
