"""Every row of the matrix, by number."""

from . import rows
from . import damage, disks, hosts, inputs, launching, numbers, ranks, resources, resuming, saving, signals  # noqa: F401

everything = dict(sorted(rows.matrix.items()))
