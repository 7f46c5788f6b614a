"""CPU time that errsrc takes to start, next to numpy's and scipy's own, in one run.

    python benchmarks/startup.py [--repetitions 9] [--out FILE.json]

Each command runs in a fresh process, with one thread and compiled bytecode. The table gives the median of the
CPU seconds (user + system, interpreter included), the ratio to a reference command, the largest ratio
allowed, and which of the slow packages the command imports. The commands take turns within each repetition,
so that a busy machine slows all of them. One core, about a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy

SLOW = ("torch", "sympy", "scipy.stats", "matplotlib", "sklearn", "hypothesis", "numpy")
STUDIES = {
    "recovery": """
kind = "recovery"
[cell]
law = {kind = "power", c_inf = 0.1, a = 2.0, alpha = 0.5}
noise = 0.02
n = [100, 200, 400, 800, 1600, 3200]
""",
    "budget": """
kind = "budget"
[cell]
setting = {kind = "linear-teacher", dim = 4}
learner = {kind = "ridge"}
draws = 4
n = 2
""",
}
"""Studies of two kinds: of laws alone, and of settings and learners, some of which need torch."""


class Case(NamedTuple):
    """A command, the command that it is compared with, and the largest ratio allowed (None: only stated)."""

    code: str
    reference: str
    limit: float | None


def errsrc(*arguments: str) -> str:
    """Return Python code that runs the errsrc command."""
    return f"import sys; sys.argv = ['errsrc', *{arguments!r}]; from errsrc.cli import main; sys.exit(main())"


CASES = {
    "import numpy": Case("import numpy", "import numpy", None),
    "import numpy, scipy.optimize": Case("import numpy, scipy.optimize", "import numpy", None),
    "import errsrc": Case("import errsrc", "import numpy", 0.5),
    "errsrc --help": Case(errsrc("--help"), "import numpy", 1.5),
    "errsrc fit --help": Case(errsrc("fit", "--help"), "import numpy", None),
    "errsrc fit --law chinchilla": Case(
        errsrc("fit", "runs.csv", "--law", "chinchilla"), "import numpy, scipy.optimize", 2.0
    ),
    "errsrc fit": Case(errsrc("fit", "runs.csv"), "import numpy, scipy.optimize", 2.0),
    **{
        f"errsrc status ({kind})": Case(
            errsrc("status", f"{kind}.toml"), "import numpy, scipy.optimize", None
        )
        for kind in STUDIES
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=9, help="runs of each command")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder))
        found = measured(folder, options.repetitions)
    print(f"{'command':<30} {'CPU s':>7} {'ratio':>6} {'limit':>6}  imports")
    for name, row in found.items():
        limit = "" if row["limit"] is None else f"{row['limit']:g}"
        figures = f"{row['cpu_seconds']:>7.3f} {row['ratio']:>6.2f} {limit:>6}"
        print(f"{name:<30} {figures}  {', '.join(row['imports'])}")
    machine = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    if options.out:
        figures = {"machine": machine, "repetitions": options.repetitions, "commands": found}
        options.out.write_text(json.dumps(figures, indent=1) + "\n")


def write_inputs(folder: Path) -> None:
    """Write runs.csv, 100 noisy errors of a Chinchilla law, and the studies with their finished cells."""
    n, m = (x.ravel() for x in np.meshgrid(1e3 * 2.0 ** np.arange(10), 1e3 * 3.0 ** np.arange(10)))
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(100))
    error = (1.8 + 9 * m**-0.35 + 20 * n**-0.37) * noise
    np.savetxt(
        folder / "runs.csv", np.column_stack([n, m, error]), delimiter=",", header="n,m,error", comments=""
    )
    for kind, text in STUDIES.items():
        (folder / f"{kind}.toml").write_text(text)
        run_python(errsrc("run", f"{kind}.toml", "--workers", "1"), str(folder))


def measured(folder: str, repetitions: int) -> dict[str, dict]:
    """Return the row of each command: median CPU seconds, ratio, limit, and the slow packages imported."""
    imports = {}
    for name, case in CASES.items():  # before the clock, so that all bytecode is compiled
        listed = (
            f"import atexit, sys; atexit.register(lambda: print(*[x for x in {SLOW} if x in sys.modules]))"
        )
        imports[name] = run_python(f"{listed}; {case.code}", folder).splitlines()[-1].split()
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(repetitions):
        for name, case in CASES.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run_python(case.code, folder)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    median = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        name: {
            "cpu_seconds": round(median[name], 4),
            "reference": case.reference,
            "ratio": round(median[name] / median[case.reference], 3),
            "limit": case.limit,
            "imports": imports[name],
        }
        for name, case in CASES.items()
    }


def run_python(code: str, folder: str) -> str:
    """Run Python code in a folder and return what it prints; raise CalledProcessError if it fails."""
    env = os.environ | {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise each start would also compile the modules of errsrc
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
