"""How many examples the dearest property-based tests draw."""

from hypothesis import settings


def examples(count: int) -> int:
    """Return `count` where each run draws new examples, and a quarter of it where all runs draw the same."""
    return -(-count // 4) if settings.default.derandomize else count
