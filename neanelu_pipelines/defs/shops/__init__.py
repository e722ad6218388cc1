"""The shops as Dagster's partitions, kept in step with the table `shops`.

Belongs here: the partitions and the sensor that keeps them. Does not belong here: anything done per shop.
"""
