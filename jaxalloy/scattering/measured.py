"""A measured structure factor: its points, what they mean, and how the two channels of the liquid enter it.

Whatever was measured is, for a liquid without size effect (S_NC = 0),

    curve(q) = nominal + w_NN (S_NN - 1) + w_CC (S_CC/(c_A c_B) - 1)

with weights that the kind of curve, the composition and the probe fix.
"""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.numerics.checks import InputError
from jaxalloy.scattering.probes import Neutrons, Probe

KINDS = {
    "S": "composite, S(infinity) = 1 (PHH Eq. 29)",
    "S_FZ": "composite of Faber and Ziman, 1 + (S - 1)<b^2>/<b>^2",
    "FZ": "partials of Faber and Ziman",
    "AL": "partials of Ashcroft and Langreth",
    "BT": "partials of Bhatia and Thornton",
}
CURVES = {"S": ("S",), "S_FZ": ("S",), "FZ": ("AA", "AB", "BB"), "AL": ("AA", "AB", "BB"), "BT": ("NN", "NC", "CC")}
SMALLEST_NUMBER_OF_POINTS = 8


class MeasuredStructureFactor(eqx.Module):
    """Curves measured on one grid of wave numbers.

    q: 1/bohr, rising. curves: shape (curves, q), named by `names`. errors: standard deviations, or None. dq: standard
    deviation of q at each point (resolution), 1/bohr, or None. kind: a key of `KINDS`. probe: what it was seen with;
    partials have none. alloy: the state it was measured in, if that is not the alloy of the model (another
    temperature). name: of the file. notes: what was done to the points. header: keys and values of the file.
    """

    q: Float[Array, " q"]
    curves: Float[Array, "curves q"]
    errors: Float[Array, "curves q"] | None = None
    dq: Float[Array, " q"] | None = None
    kind: str = eqx.field(static=True, default="S")
    names: tuple[str, ...] = eqx.field(static=True, default=("S",))
    probe: Probe | None = None
    alloy: Alloy | None = None
    name: str = eqx.field(static=True, default="data")
    notes: tuple[str, ...] = eqx.field(static=True, default=())
    header: tuple[tuple[str, str], ...] = eqx.field(static=True, default=())

    @classmethod
    def of(cls, q, S, errors=None, dq=None, *, kind: str = "S", names=None, **rest) -> "MeasuredStructureFactor":
        """From arrays: q in 1/bohr, shape (q,); S and its errors, shape (q,) or (curves, q).

        Raises `InputError` for points that cannot be fitted: the message names the first bad one.
        """
        if kind not in KINDS:
            raise InputError(f"quantity {kind!r}: choose one of {', '.join(KINDS)}")
        names = CURVES[kind] if names is None else tuple(names)
        q = np.asarray(q, dtype=float)
        curves = np.atleast_2d(np.asarray(S, dtype=float))
        errors = None if errors is None else np.broadcast_to(np.asarray(errors, dtype=float), curves.shape)
        dq = None if dq is None else np.broadcast_to(np.asarray(dq, dtype=float), q.shape)
        check_points(q, curves, errors, dq, names, 1.0, "1/bohr")
        errors, dq = (None if x is None else jnp.asarray(x) for x in (errors, dq))
        return cls(jnp.asarray(q), jnp.asarray(curves), errors, dq, kind=kind, names=names, **rest)

    def __check_init__(self):
        if set(self.names) - set(CURVES[self.kind]) or len(self.names) != self.curves.shape[0]:
            raise InputError(f"curves {', '.join(self.names)}: quantity {self.kind} has {', '.join(CURVES[self.kind])}")

    @property
    def is_composite(self) -> bool:
        """Whether this is one curve seen by a probe, in contrast to partials."""
        return self.kind in ("S", "S_FZ")

    def weights(
        self, alloy: Alloy
    ) -> tuple[Float[Array, "curves q"], Float[Array, "curves q"], Float[Array, " curves"]]:
        """Weights w_NN and w_CC of the two channels, and the nominal value of each curve at large q.

        alloy: gives the symbols and c = c_B. A composite without a probe is taken as one of neutrons on the natural
        elements. Source: PHH Eq. 29 for composites, Bhatia and Thornton (1970) for partials.
        """
        c = alloy.concentration
        if self.is_composite:
            seen = (Neutrons() if self.probe is None else self.probe).weights(alloy.symbols, c, self.q)
            nn, cc = seen.number_number, seen.concentration_concentration
            if self.kind == "S_FZ":
                nn, cc = jnp.ones_like(nn), cc / nn
            return nn[None], cc[None], jnp.ones((1,), self.q.dtype)
        root = jnp.sqrt(c * (1 - c))
        tables: dict[str, dict[str, Any]] = {
            "FZ": {"AA": (1.0, c / (1 - c), 1.0), "AB": (1.0, -1.0, 1.0), "BB": (1.0, (1 - c) / c, 1.0)},
            "AL": {"AA": (1 - c, c, 1.0), "AB": (root, -root, 0.0), "BB": (c, 1 - c, 1.0)},
            "BT": {"NN": (1.0, 0.0, 1.0), "NC": (0.0, 0.0, 0.0), "CC": (0.0, c * (1 - c), c * (1 - c))},
        }
        table = tables[self.kind]
        rows = jnp.asarray([[jnp.asarray(x, self.q.dtype) for x in table[name]] for name in self.names])
        shape = (len(self.names), self.q.shape[0])
        return jnp.broadcast_to(rows[:, :1], shape), jnp.broadcast_to(rows[:, 1:2], shape), rows[:, 2]

    def bhatia_thornton(self, alloy: Alloy) -> "MeasuredStructureFactor":
        """Complete partials as S_NN, S_NC, S_CC; errors of the three partials are taken as independent."""
        if self.kind == "BT":
            return self
        if self.is_composite or len(self.names) != 3:
            raise InputError(
                f"{self.name}: S_NN and S_CC need all three partials, this file has {', '.join(self.names)}"
            )
        c_B = alloy.concentration
        c_A, root = 1 - c_B, jnp.sqrt(c_B * (1 - c_B))
        c = c_A * c_B
        if self.kind == "FZ":
            rows = [[c_A**2, 2 * c, c_B**2], [c * c_A, c * (c_B - c_A), -c * c_B], [c**2, -2 * c**2, c**2]]
            constant = jnp.stack([0 * c, 0 * c, c])
        else:
            rows = [[c_A, 2 * root, c_B], [c, root * (c_B - c_A), -c], [c * c_B, -2 * c * root, c * c_A]]
            constant = jnp.zeros(3)
        matrix = jnp.stack([jnp.stack([1.0 * x for x in row]) for row in rows])
        order = jnp.asarray([self.names.index(name) for name in ("AA", "AB", "BB")])
        curves = constant[:, None] + matrix @ self.curves[order]
        errors = None if self.errors is None else jnp.sqrt(matrix**2 @ self.errors[order] ** 2)
        return dataclasses.replace(self, curves=curves, errors=errors, kind="BT", names=("NN", "NC", "CC"))

    def only(self, *names: str) -> "MeasuredStructureFactor":
        """The named curves alone, as in `.only("NN")`."""
        pick = jnp.asarray([self.names.index(name) for name in names])
        errors = None if self.errors is None else self.errors[pick]
        return dataclasses.replace(self, curves=self.curves[pick], errors=errors, names=names)

    def between(self, q_min: float, q_max: float) -> "MeasuredStructureFactor":
        """The points with q_min <= q <= q_max, 1/bohr. Raises `InputError` where too few are left."""
        keep = np.flatnonzero((np.asarray(self.q) >= q_min) & (np.asarray(self.q) <= q_max))
        if keep.size < SMALLEST_NUMBER_OF_POINTS:
            raise InputError(
                f"{self.name}: {keep.size} points between q = {q_min:.4g} and {q_max:.4g} 1/bohr; a fit needs "
                f"{SMALLEST_NUMBER_OF_POINTS}; the data reach from {float(self.q[0]):.4g} to {float(self.q[-1]):.4g} "
                f"1/bohr ({float(self.q[0]) / BOHR_IN_ANGSTROM:.4g} to {float(self.q[-1]) / BOHR_IN_ANGSTROM:.4g} "
                "1/angstrom)"
            )
        pick = lambda x: None if x is None else x[..., keep]  # noqa: E731
        return dataclasses.replace(
            self, q=self.q[keep], curves=self.curves[:, keep], errors=pick(self.errors), dq=pick(self.dq)
        )

    def binned(self, bins: int) -> "MeasuredStructureFactor":
        """At most `bins` points: means over equal steps of q, weighted with the errors; noted in `notes`."""
        q = np.asarray(self.q)
        if q.size <= bins:
            return self
        edges = np.linspace(q[0], q[-1], bins + 1)
        index = np.clip(np.searchsorted(edges, q, side="right") - 1, 0, bins - 1)
        weight = np.ones_like(self.curves) if self.errors is None else 1 / np.asarray(self.errors) ** 2
        total = np.stack([np.bincount(index, row, bins) for row in weight])
        filled = total[0] > 0

        def mean(values, rows):
            sums = [np.bincount(index, v * w, bins) for v, w in zip(values, rows, strict=True)]
            return jnp.asarray(
                np.stack(sums)[:, filled] / np.stack([np.bincount(index, w, bins) for w in rows])[:, filled]
            )

        once = np.ones((1, q.size))
        return dataclasses.replace(
            self,
            q=mean(q[None], once)[0],
            curves=mean(np.asarray(self.curves), weight),
            errors=None if self.errors is None else jnp.asarray(total[:, filled] ** -0.5),
            dq=None if self.dq is None else mean(np.asarray(self.dq)[None], once)[0],
            notes=(*self.notes, f"{q.size} points averaged into {int(filled.sum())} bins of equal width"),
        )


def check_points(q, curves, errors, dq, names, to_unit: float = BOHR_IN_ANGSTROM, unit: str = "1/angstrom") -> None:
    """Raise `InputError` that names the first point which cannot be fitted.

    q: 1/bohr, named in messages as q/`to_unit` with `unit`; curves, errors: shape (curves, q); dq: shape (q,) or None.
    """

    def refuse(bad: np.ndarray, what: str, remedy: str) -> None:
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            raise InputError(f"point {i + 1} (q = {q[i] / to_unit:.6g} {unit}): {what}; {remedy}")

    if q.ndim != 1 or curves.shape[1:] != q.shape:
        raise InputError(f"q has shape {q.shape} and S {curves.shape}: S needs one value for each q")
    refuse(~np.isfinite(q), "q is not a finite number", "remove the point")
    refuse(q < 0, "q is negative", "wave numbers are positive")
    refuse(q == 0, "q is zero", "remove the point: nothing is measured in the direct beam")
    if q.size < SMALLEST_NUMBER_OF_POINTS:
        raise InputError(f"{q.size} points: a fit needs at least {SMALLEST_NUMBER_OF_POINTS}")
    step = np.diff(q, prepend=-1.0)
    refuse(step == 0, "this q occurs twice", "average or remove the repeated points")
    refuse(step < 0, "q is smaller than the one before", "sort the points by q")
    for name, row in zip(names, curves, strict=True):
        refuse(~np.isfinite(row), f"{name} is not a finite number", "remove the point")
    for name, row in zip(names, [] if errors is None else errors, strict=errors is not None):
        refuse(~(np.isfinite(row) & (row > 0)), f"the error of {name} is not a positive number", "correct the error")
    if dq is not None:
        refuse(~(np.isfinite(dq) & (dq >= 0)), "the resolution dq is not a number >= 0", "correct it")
