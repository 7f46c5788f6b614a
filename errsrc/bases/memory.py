"""The check that a matrix of basis functions fits into the memory of the machine."""

from __future__ import annotations

from errsrc import checks
from errsrc.checks import machine_memory


def check_memory(rows: int, columns: int, where: str) -> None:
    """Raise ValueError if a float64 matrix would be larger than half of the machine's memory.

    Parameters
    ----------
    rows : int
        Number of rows of the matrix.
    columns : int
        Number of columns, the size M of a basis.
    where : str
        Name of the class or function, for the error message.

    Raises
    ------
    ValueError
        If ``8 * rows * columns`` bytes are more than half of the memory.
    """
    limit = machine_memory() / 2
    if 8 * rows * columns > limit:
        accepted = f"one whose {rows} x M matrix fits into {limit / 2**30:.0f} GiB"
        got = f"<M = {columns}, {8 * rows * columns // 2**30:,} GiB>"
        raise ValueError(checks.refusal("basis", where, accepted, got))
