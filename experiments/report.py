"""What a paper says next to what we compute, with an honest verdict: rows, their table, and one experiment run.

An experiment is a module with a docstring, `TITLE`, `rows() -> list[Row]` and `draw(path)`; its name is the one it is
imported by, without "experiments.".
"""

import collections
import contextlib
import dataclasses
import importlib
import io
import json
import os
import pathlib
import sys
import time
import traceback
from typing import NamedTuple

import matplotlib
import numpy as np

from experiments.data import ABSENT, DataAbsentError

matplotlib.use("Agg")

OUT = pathlib.Path(__file__).parent / "out"
AGREES, NEAR, MISS, FINDING = "agrees", "near", "MISS", "finding"
NEAR_MEANS = 0.10


class Row(NamedTuple):
    """One comparison.

    what: the quantity or claim; paper: the number as printed (a string keeps its digits), or "yes" for a claim, or ""
    where nothing was printed and ours is a finding; ours: a number, whether the claim holds, or None where the data
    are absent; slack: what the rounding of the paper's inputs, or a word like "near", allows; note: why it differs.
    """

    what: str
    paper: str
    ours: float | bool | None
    slack: float = 0.0
    note: str = ""

    @property
    def claim(self) -> bool:
        """Whether this is a claim and no number."""
        return isinstance(self.ours, bool | np.bool_)

    @property
    def deviation(self) -> float:
        """Ours minus paper's; NaN for a claim or a finding."""
        if self.ours is None or self.claim or not self.paper:
            return float("nan")
        return float(self.ours) - float(self.paper)

    @property
    def agrees(self) -> bool:
        """Whether the claim holds, or the number agrees within its last printed digit and the slack."""
        if self.claim:
            return bool(self.ours)
        decimals = len(self.paper.partition(".")[2])
        return abs(self.deviation) <= 0.5 * 10.0**-decimals + self.slack + 1e-12

    @property
    def verdict(self) -> str:
        """agrees (in every printed digit, or the claim holds), near (within 10 %), MISS; or what there is instead."""
        if self.ours is None:
            return ABSENT
        if not self.paper:
            return FINDING
        if self.agrees:
            return AGREES
        near = not self.claim and abs(self.deviation) <= NEAR_MEANS * abs(float(self.paper))
        return NEAR if near else MISS

    @property
    def texts(self) -> tuple[str, str, str, str, str, str]:
        """What, paper, ours, deviation, verdict, note, as they are shown."""
        ours = "" if self.ours is None else ("no", "yes")[bool(self.ours)] if self.claim else f"{self.ours:.4g}"
        deviation = f"{self.deviation:+.3g}" if self.deviation == self.deviation else ""
        return self.what, self.paper, ours, deviation, self.verdict, self.note


@dataclasses.dataclass
class Result:
    """An experiment that was run. rows: the texts of its rows; printed: what it said besides; error: of a failure."""

    name: str
    title: str
    about: str = ""
    rows: list[list[str]] = dataclasses.field(default_factory=list)
    printed: str = ""
    seconds: float = 0.0
    error: str = ""
    picture: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """Rows by verdict."""
        found = collections.Counter(row[4] for row in self.rows)
        return {kind: found[kind] for kind in (AGREES, NEAR, MISS, FINDING, ABSENT) if found[kind]}

    @property
    def summary(self) -> str:
        """Counts of the verdicts, or the error, in words."""
        if self.error:
            return "failed: " + self.error.strip().splitlines()[-1]
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items())

    def save(self) -> None:
        """Keep it beside its picture, for the index."""
        partial = OUT / f".{self.name}.partial.json"
        partial.write_text(json.dumps(dataclasses.asdict(self), indent=1), encoding="utf-8")
        os.replace(partial, OUT / f"{self.name}.json")


def load(name: str) -> Result | None:
    """The last result of an experiment, if there is one."""
    path = OUT / f"{name}.json"
    return Result(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def table(rows: list[list[str]]) -> str:
    """The rows as text."""
    heads = ("", "paper", "ours", "deviation", "verdict")
    widths = [max(len(head), *(len(row[i]) for row in rows)) for i, head in enumerate(heads)]
    lines = []
    for *cells, note in ([*heads, ""], *rows):
        fitted = [f"{cell:{'<' if i in (0, 4) else '>'}{widths[i]}}" for i, cell in enumerate(cells)]
        lines.append((" | ".join(fitted) + (f"  ({note})" if note else "")).rstrip())
    return "\n".join(lines)


def prepare() -> None:
    """Keep compiled code between runs, as the command line does."""
    from jaxalloy.cli import device
    from jaxalloy.cli.report import Report

    with contextlib.redirect_stdout(io.StringIO()):
        device.start(None, Report())


def perform(name: str) -> Result:
    """Run one experiment and keep its rows and its figure in OUT. A failure is a result too."""
    OUT.mkdir(exist_ok=True)
    # what an earlier run left stays until there is something new: the page may be made of it meanwhile
    picture, drawn = OUT / f"{name}.png", OUT / f".{name}.partial.png"
    drawn.unlink(missing_ok=True)
    result = Result(name, name)
    begin = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            module = importlib.import_module(f"experiments.{name}")
            result.title, result.about = module.TITLE, module.__doc__ or ""
            result.rows = [list(row.texts) for row in module.rows()]
            module.draw(drawn)
        except DataAbsentError as error:
            result.rows.append(["everything", "", "", "", ABSENT, str(error)])
        except Exception:
            result.error = traceback.format_exc()
    result.printed, result.picture = printed.getvalue(), drawn.exists()
    result.seconds = time.perf_counter() - begin
    if result.picture:
        os.replace(drawn, picture)
    result.save()
    if not result.picture:
        picture.unlink(missing_ok=True)
    return result


def show(result: Result) -> None:
    """Print what an experiment said, its rows and where its figure is."""
    print(f"\n{result.title}\n{result.printed}" + (table(result.rows) if result.rows else ""))
    if result.error:
        print(result.error, file=sys.stderr)
    where = f"; wrote {OUT / result.name}.png" if result.picture else ""
    print(f"{result.summary} ({result.seconds:.0f} s){where}", flush=True)


def run(name: str) -> None:
    """What `python -m experiments.NAME` does; a failure ends the process with 1."""
    result = perform(name)
    show(result)
    sys.exit(bool(result.error))
