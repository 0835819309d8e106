"""From the reduced pair distribution function G(r) of total scattering back to the structure factor it came from."""

import numpy as np

from jaxalloy.numerics.checks import InputError


def structure_factor_of_distances(
    r: np.ndarray, G: np.ndarray, q_min: float, q_max: float
) -> tuple[np.ndarray, np.ndarray]:
    """q and S_FZ(q) = 1 + (1/q) int_0^r_max G(r) sin(qr) dr, on steps of pi/r_max within q_min and q_max.

    The inverse of G(r) = (2/pi) int q (S_FZ - 1) sin(qr) dq = 4 pi n r (g - 1). r: rising from about zero, any unit of
    length, shape (r,). G: 1/length^2. q_min, q_max: the range that was measured, 1/length. S is as sharp as r_max
    allows: finer steps of q would not be independent.
    Raises `InputError` for an r that does not rise from zero, or a step of r too wide for q_max.
    """
    if not (np.isfinite(r).all() and np.isfinite(G).all()):
        raise InputError("r or G(r) is not a finite number; remove the point")
    step = np.diff(r)
    if r.size < 16 or (step <= 0).any() or r[0] < 0 or r[0] > 2 * step.max():
        raise InputError("G(r) must rise from r = 0 in at least 16 points; sort the points and give all of them")
    if not 0 <= q_min < q_max:
        raise InputError(f"qmin = {q_min:g} and qmax = {q_max:g}: the range of q that was measured must rise")
    if q_max * step.max() > np.pi:
        raise InputError(f"steps of r up to {step.max():.3g} are too wide for qmax = {q_max:g}: they allow pi/step")
    q = np.pi / r[-1] * np.arange(1, int(q_max * r[-1] / np.pi) + 1)
    q = q[q >= q_min]
    return q, 1 + np.trapezoid(G * np.sin(q[:, None] * r), r, axis=1) / q
