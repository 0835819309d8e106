"""Every figure and table of both papers, and what lies beyond: paper | ours | deviation | verdict, and pictures.

python -m experiments                          all, into experiments/out/ with an index.html to open
python -m experiments pasturel1985.table2      one (or several), and the index of all that were run
python -m experiments --list                   their names
"""

import argparse
import time

from experiments import CHAPTERS, index
from experiments.report import OUT, perform
from jaxalloy.cli import device
from jaxalloy.cli.report import Report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="e.g. pasturel1985.table2; all by default")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    arguments = parser.parse_args()
    known = [name for names in CHAPTERS.values() for name in names]
    if arguments.list:
        print("\n".join(known))
        return 0
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        parser.error(f"no experiment {unknown[0]!r}; there are {', '.join(known)}")
    device.start(None, Report(as_json=False))
    begin = time.perf_counter()
    results = []
    for name in arguments.names or known:
        results.append(perform(name))
        index.write()
    failed = [result.name for result in results if result.error]
    print(f"\n{len(results)} experiments in {time.perf_counter() - begin:.0f} s; open {OUT / 'index.html'}")
    if failed:
        print("failed: " + ", ".join(failed))
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
