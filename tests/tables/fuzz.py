"""Random tables in all formats, as people and programs write them, and as accidents leave them.

``python tests/tables/fuzz.py FIRST LAST`` runs the tables of some seeds and prints what breaks the contract.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from errsrc.cli import main

JUNK = [
    *(
        "",
        " ",
        "NA",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "0",
        "-1",
        "abc",
        "1e999",
        "1e-320",
        "0x10",
        "1,5",
        "1.5",
        "16.000",
    ),
    *(
        "1m",
        "3k",
        "2M",
        "50%",
        "1_0",
        "'",
        '"',
        '""',
        "#",
        "# x",
        ";",
        "\t",
        "\n",
        "\r",
        "\u0661",
        "\u00e9",
        "\x0b",
    ),
    *(
        "1,234.5",
        "1.234,5",
        "1 000",
        "true",
        "=1+1",
        "-",
        "1e400",
        "99999999999999999999999",
        "1" * 5000,
        "\x00",
    ),
]
NAMES = [
    "n",
    "N",
    "tokens",
    "m",
    "M",
    "D",
    "error",
    "Error",
    "loss",
    "diverged",
    "density",
    "depth",
    "x",
    "",
    "a - loss",
]


def styled(value: float, style: str) -> str:
    """Return a number as text in the style of a column."""
    if style == "suffix":
        for sign, unit in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
            if value >= unit:
                return f"{value / unit:.6g}{sign}"
        return f"{value:.6g}"
    formats: dict[str, Callable[[float], str]] = {
        "plain": lambda x: f"{x:.6g}",
        "comma": lambda x: f"{x:.6g}".replace(".", ","),
        "percent": lambda x: f"{100 * x:.5g}%",
        "exponent": lambda x: f"{x:.5e}",
        "thousands": lambda x: f"{x:,.0f}" if x >= 1000 else f"{x:.5g}",
        "points": lambda x: f"{x:,.0f}".replace(",", "."),
        "three": lambda x: f"{x:.3f}",
        "quoted": lambda x: f'"{x:.6g}"',
    }
    return formats[style](value)


def cells(rng: random.Random) -> tuple[list[str], list[list[str]]]:
    """Return a header and rows of texts."""
    usual = [["n", "error"], ["n", "m", "error"], ["tokens", "params", "loss"], ["n", "error", "diverged"]]
    names = rng.choice(usual) if rng.random() < 0.7 else rng.choices(NAMES, k=rng.randint(0, 6))
    count = rng.choice([0, 1, 2, 6, 8, 8, 8, 8, 12, 24])
    mixed = ["plain", "comma", "suffix", "percent", "exponent", "thousands", "points", "three", "quoted"]
    one_mark = [["plain", "plain", "suffix", "percent", "exponent", "thousands"], ["comma"], ["plain"]]
    styles = rng.choices(mixed if rng.random() < 0.2 else rng.choice(one_mark), k=len(names))
    junk = rng.choice([0.0, 0.0, 0.0, 0.01, 0.05])
    rows = []
    for k in range(count):
        n, m = 1000.0 * 2 ** (k % 8), 1e5 * 4 ** (k // 8 + k % 3)
        error = (0.1 + 3 * n**-0.4 + 2 * m**-0.3) * rng.lognormvariate(0, 0.02)
        error = 1 - error if rng.random() < 0.02 else error
        known = {"n": n, "tokens": n, "N": n, "m": m, "M": m, "params": m, "density": 0.8**k, "depth": 8.0}
        row = []
        for name, style in zip(names, styles, strict=True):
            value = known.get(name, error)
            text = rng.choice(["true", "false", "", "0"]) if name == "diverged" else styled(value, style)
            row.append(rng.choice(JUNK) if rng.random() < junk else text)
        rows.append(row)
        if rng.random() < 0.03:
            rows.append(list(row))
    return names, rows


def as_csv(rng: random.Random, names: list[str], rows: list[list[str]]) -> bytes:
    """Return a table as CSV in some dialect."""
    delimiter = rng.choice(",,,;\t")
    end = rng.choice(["\n", "\n", "\r\n", "\r"])

    def quoted(cell: str) -> str:
        plain = not set(cell) & {delimiter, '"', "\n", "\r"}
        return cell if plain or rng.random() < 0.02 else '"' + cell.replace('"', '""') + '"'

    lines = [delimiter.join(map(quoted, row)) for row in [names, *rows]]
    extras: list[Callable[[list[str]], list[str]]] = [
        lambda old: [f"sep={delimiter}", *old],
        lambda old: ["# a comment; with, marks", "", *old],
        lambda old: [*old, delimiter * (len(names) - 1), ""],
        lambda old: [line + delimiter * 2 for line in old],
        lambda old: [*old[:3], "# between", *old[3:]],
        lambda old: [*old, *old[:1], *old[1:3]],
        lambda old: old[1:],
        lambda old: [*old, delimiter.join(["1"] * rng.randint(0, 9))],
    ]
    for extra in extras:
        lines = extra(lines) if rng.random() < 0.06 else lines
    text = end.join(lines) + (end if rng.random() < 0.7 else "")
    return text.encode(
        rng.choice(["utf-8"] * 12 + ["utf-8-sig"] * 3 + ["utf-16"] * 3 + ["utf-16-le", "latin-1"]), "replace"
    )


def as_json(rng: random.Random, names: list[str], rows: list[list[str]]) -> bytes:
    """Return a table as JSON lines, or as a JSON array."""

    def value(cell: str) -> object:
        try:
            number = float(cell)
        except ValueError:
            return rng.choice([cell, cell, None, [cell], {"a": cell}]) if rng.random() < 0.1 else cell
        return number if rng.random() < 0.9 else cell

    records = [dict(zip(names, map(value, row), strict=True)) for row in rows]
    for record in records:
        if record and rng.random() < 0.05:
            record.pop(rng.choice(list(record)))
    if rng.random() < 0.3:
        return json.dumps(records).encode()
    return "\n".join(map(json.dumps, records)).encode()


def as_parquet(rng: random.Random, names: list[str], rows: list[list[str]]) -> bytes:
    """Return a table as Parquet, or as CSV if pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        return as_csv(rng, names, rows)
    columns = {}
    for k, name in enumerate(names):
        texts = [row[k] for row in rows]
        try:
            columns[name] = pyarrow.array([float(x) if x else None for x in texts])
        except ValueError:
            columns[name] = pyarrow.array(texts)
    out = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def content(rng: random.Random, names: list[str], rows: list[list[str]]) -> bytes:
    """Return a file of a table, sometimes a damaged one."""
    found = rng.choices([as_csv, as_json, as_parquet], weights=[8, 2, 1])[0](rng, names, rows)
    if rng.random() < 0.07 and found:
        place = rng.randrange(len(found))
        damage = rng.choice([b"", bytes([rng.randrange(256)]), b'"', b"\x00", b"\xff\xfe"])
        found = found[:place] + damage + found[place + rng.randint(0, 3) :]
    return found[: rng.randrange(len(found) + 1)] if rng.random() < 0.03 else found


def arguments(rng: random.Random, names: list[str], file: str, fit: str) -> list[str]:
    """Return a random command line."""
    if rng.random() < 0.2:
        return ["predict", fit, file, *rng.choice([[], [], ["--strict"], ["--level", "0.5"]])]
    law = rng.choices(["power", "auto", "chinchilla", "pruning"], weights=[12, 1, 2, 1])[0]
    out = ["fit", file, "--law", law]
    if "tokens" in names and rng.random() < 0.9:
        out += ["--n", "tokens", "--error", "loss", *(["--m", "params"] if law == "chinchilla" else [])]
    options = [
        *(
            ["--strict"],
            ["--accuracy"],
            ["--melt"],
            ["--test-size", "100"],
            ["--where", "x=1"],
            ["--n", "tokens"],
        ),
        *(["--m", "params"], ["--error", "Error"], ["--weight", "m"], ["--where", "diverged=false"]),
        *(["--fix", "c_inf=0.05"], ["--test-size", "0"]),
    ]
    for option in options:
        out += option if rng.random() < 0.03 else []
    return out + (["--json"] if rng.random() < 0.3 else [])


def broken(seed: int, folder: Path, fit: str) -> str:
    """Run one random table through the command line, and return how it breaks the contract, or ""."""
    rng = random.Random(seed)
    file = folder / f"table{seed}.csv"
    names, rows = cells(rng)
    data = content(rng, names, rows)
    file.write_bytes(data)
    piped = rng.random() < 0.1
    argv = arguments(rng, names, "-" if piped else str(file), fit)
    out, err, stdin = io.StringIO(), io.StringIO(), sys.stdin
    began = time.process_time()
    try:
        sys.stdin = io.TextIOWrapper(io.BytesIO(data)) if piped else stdin
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("error")
            code = main(argv)
    finally:
        sys.stdin = stdin
    seconds = time.process_time() - began
    file.unlink()
    said, shown = err.getvalue(), out.getvalue()
    faults = {
        f"exit {code}": code not in (0, 1, 2),
        "an internal error": "internal error" in said or "Traceback" in said,
        "a line that is no message": not re.fullmatch(r"(errsrc: [^\n]+\n)*", said),
        "not one sentence": code != 0 and not re.fullmatch(r"errsrc: [^\n]+\.\n", said),
        "output of a failure": code != 0 and shown != "",
        "no output": code == 0 and not shown.strip(),
        "no JSON": code == 0 and "--json" in argv and not is_json(shown),
        f"{seconds:.0f} s": seconds > 20,
    }
    found = [fault for fault, there in faults.items() if there]
    return f"seed {seed}: {', '.join(found)}: {argv} {said[:300]!r}" if found else ""


def is_json(text: str) -> bool:
    """Return whether a text is strict JSON."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


def saved_fit(folder: Path) -> str:
    """Return the path of a fit that predictions use."""
    from errsrc.fitting import fit, save_fit
    from errsrc.laws import Power

    n = [1000.0 * 2**k for k in range(8)]
    save_fit(fit(Power, Power(0.1, 3.0, 0.4).error(n=n), n=n), folder / "fit.json")
    return str(folder / "fit.json")


def run(first: int, last: int, folder: Path) -> list[str]:
    """Return what breaks the contract among the tables of seeds from `first` to `last` - 1."""
    fit = saved_fit(folder)
    return [said for seed in range(first, last) if (said := broken(seed, folder, fit))]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        began = time.process_time()
        found = run(int(sys.argv[1]), int(sys.argv[2]), Path(name))
        print("\n".join([*found, f"{len(found)} broken, {time.process_time() - began:.0f} s of CPU"]))
