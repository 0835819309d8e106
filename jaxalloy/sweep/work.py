"""What a sweep has to do still, and how far it is."""

import dataclasses
import pathlib
import time
from collections import Counter

import numpy as np

from jaxalloy.sweep.plan import Plan
from jaxalloy.sweep.store import Store, tally


@dataclasses.dataclass
class Progress:
    """How far a sweep is.

    total, done, before: states in all, in the store, and there when this run began. counts: states by status.
    """

    total: int
    done: int
    before: int
    counts: Counter
    began: float = dataclasses.field(default_factory=time.perf_counter)
    warm: tuple[int, float] | None = None

    def add(self, status: np.ndarray) -> None:
        """A chunk more, with the status of its states."""
        self.counts.update(tally(status))
        self.done += status.size
        if self.warm is None:
            self.warm = self.done, time.perf_counter()

    @property
    def failures(self) -> int:
        """States without a result so far."""
        return sum(count for code, count in self.counts.items() if code != 0)

    @property
    def rate(self) -> float:
        """States per second of this run, the first chunk and the compilation in it left out as soon as possible."""
        done, since = self.warm if self.warm and self.warm[0] < self.done else (self.before, self.began)
        return (self.done - done) / max(time.perf_counter() - since, 1e-9)

    @property
    def seconds_left(self) -> float:
        """At this rate; infinite before the first chunk."""
        return (self.total - self.done) / self.rate if self.done > self.before else float("inf")


@dataclasses.dataclass(frozen=True)
class Work:
    """What a run has to do: the open store (None in a process that does not write) and the chunks it lacks."""

    store: Store | None
    plan: Plan
    wanted: list[int]
    damaged: int
    progress: Progress
    warnings: tuple[str, ...]


def open_work(path: pathlib.Path, plan: Plan, resume: bool) -> Work:
    """Create or resume the store, and see what is left to do."""
    opened = resume and path.exists()
    store = Store.resume(path, plan) if opened else Store.create(path, plan)
    missing, damaged = store.missing()
    counts: Counter = Counter()
    for chunk in np.flatnonzero(~missing):
        counts.update(store.status_counts(int(chunk)))
    before = sum(counts.values())
    wanted = [int(chunk) for chunk in store.plan.dearest_first() if missing[chunk]]
    changes = store.version_changes() if opened and wanted else []
    warnings = tuple(f"{change}: results may differ in the last digits within this store" for change in changes)
    return Work(store, store.plan, wanted, damaged, Progress(store.plan.count, before, before, counts), warnings)
