"""Scripts of `benchmarks/`, as modules."""

import functools
import importlib.util
from pathlib import Path
from types import ModuleType


@functools.cache
def benchmark(name: str) -> ModuleType:
    """Return the script benchmarks/NAME.py as a module."""
    path = Path(__file__).parents[1] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
