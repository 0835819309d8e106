"""Print what a paper says next to what we compute, with an honest verdict."""

import pathlib
from typing import NamedTuple

OUT = pathlib.Path(__file__).parent / "out"


class Row(NamedTuple):
    """One comparison.

    what: the quantity or claim; paper: the number as printed (a string keeps its digits) or the claim;
    ours: a number, or whether the claim holds; slack: what the rounding of the paper's inputs, or a word like
    "near", allows; note: why it differs.
    """

    what: str
    paper: str
    ours: float | bool
    slack: float = 0.0
    note: str = ""

    @property
    def deviation(self) -> float:
        """Ours minus paper's; NaN for a claim."""
        return float("nan") if isinstance(self.ours, bool) else float(self.ours) - float(self.paper)

    @property
    def agrees(self) -> bool:
        """Whether the claim holds, or the number agrees within its last printed digit and the slack."""
        if isinstance(self.ours, bool):
            return self.ours
        decimals = len(self.paper.partition(".")[2])
        return abs(self.deviation) <= 0.5 * 10.0**-decimals + self.slack + 1e-12


def show(title: str, rows: list[Row]) -> None:
    """Print the rows as a table: paper | ours | deviation | verdict."""
    width = max(len(row.what) for row in rows)
    print(f"\n{title}\n{'':{width}} | {'paper':>9} | {'ours':>9} | {'deviation':>9} |")
    for row in rows:
        claim = isinstance(row.ours, bool)
        paper, ours = (row.paper, "yes" if row.ours else "no") if claim else (row.paper, f"{row.ours:.4g}")
        deviation = "" if claim else f"{row.deviation:+.3g}"
        verdict = "agrees" if row.agrees else "MISS"
        note = f"  ({row.note})" if row.note else ""
        print(f"{row.what:{width}} | {paper:>9} | {ours:>9} | {deviation:>9} | {verdict}{note}")
    print(f"{sum(row.agrees for row in rows)} of {len(rows)} agree")


def run(title: str, rows, draw, name: str) -> None:
    """Print the rows of an experiment and draw its figure into experiments/out/NAME.png."""
    show(title, rows())
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.png"
    draw(path)
    print(f"wrote {path}")
