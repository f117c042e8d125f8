"""Every row of the matrix, by number."""

from . import rows
from . import disks, inputs, ranks, saving  # noqa: F401

everything = dict(sorted(rows.matrix.items()))
