"""Print the outcome of sims/law_coverage.toml: how often the parameters' intervals contain the truth, by law.

Command:  python sims/law_coverage.py [--store sims/law_coverage.db]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from errsrc.studies.recovery import coverage
from errsrc.sweeps import Store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--store", type=Path, default=Path(__file__).with_suffix(".db"))
    with Store(parser.parse_args().store) as store:
        print(f"{store.count():,} grids")
        for law, shares in coverage(store.rows()).items():
            print(f"{law}: " + ", ".join(f"{name} {share:.3f}" for name, share in shares.items()))


if __name__ == "__main__":
    main()
