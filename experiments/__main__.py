"""Every figure and table of both papers, and what lies beyond: paper | ours | deviation | verdict, and pictures.

python -m experiments                          all, into experiments/out/ with an index.html to open
python -m experiments pasturel1985.table2      one (or several), and the index of all that were run
python -m experiments --list                   their names
"""

import argparse
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

from experiments import CHAPTERS, LONG, index
from experiments.report import OUT, Result, perform, prepare, show


def pool(jobs: int) -> ProcessPoolExecutor:
    """Processes that start fresh: JAX does not survive a fork."""
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=prepare)


def alone(name: str) -> Result:
    """Perform one experiment in a process of its own; if that dies, this is its failure."""
    with pool(1) as process:
        try:
            return process.submit(perform, name).result()
        except BrokenExecutor as error:
            died = Result(name, name, error=f"{type(error).__name__}: {error}")
            died.save()
            return died


def results(names: Sequence[str], jobs: int) -> Iterator[Result]:
    """Perform the experiments, several at a time; a process that dies takes no other experiment down."""
    if jobs == 1 or len(names) == 1:
        prepare()
        yield from map(perform, names)
        return
    with pool(jobs) as processes:
        for name, waiting in [(name, processes.submit(perform, name)) for name in names]:
            try:
                yield waiting.result()
            except BrokenExecutor:
                yield alone(name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is asked for; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="as in pasturel1985.table2; all but the long ones")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="processes (2)")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    arguments = parser.parse_args(argv)
    known = [name for names in CHAPTERS.values() for name in names]
    if arguments.list:
        print("\n".join(name + (f"    ({LONG[name]})" if name in LONG else "") for name in known))
        return 0
    unknown = [name for name in arguments.names if name not in known]
    if unknown:
        parser.error(f"no experiment {unknown[0]!r}; --list prints their names")
    begin = time.perf_counter()
    failed = []
    for result in results(arguments.names or [name for name in known if name not in LONG], max(1, arguments.jobs)):
        show(result)
        index.write()
        failed += [result.name] if result.error else []
    print(f"\n{time.perf_counter() - begin:.0f} s; open {OUT / 'index.html'}")
    if failed:
        print("failed: " + ", ".join(failed))
    return int(bool(failed))


if __name__ == "__main__":
    raise SystemExit(main())
