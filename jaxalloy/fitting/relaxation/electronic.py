"""The two laws of EM as progress functions: the exponential approximation (Eq. 12) and the nonlinear system (Eq. 9)."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float
from jaxalloy.fitting.relaxation.models import Parameter, RelaxationModel
from jaxalloy.kinetics.maxwell_bloch import MaxwellBloch
from jaxalloy.kinetics.taylor import Taylor, integrate_lanes

NODES = 240
LANES = 16
"""Curves integrated together, always as many: one compiled program serves grids and derivatives of both laws."""
LATE = 45.0
"""In population times, and dephasing times: e^-45 of the inversion and of the polarisation is left."""
VANISHING = 1e-150
"""|d0|/sigma0 of Eq. 12: grown by e^200, the most within the bounds, its square is still nothing beside sigma0."""
METHOD = Taylor(rtol=1e-9, max_steps=4000, derivative="forward")
"""Parameters that need more steps (thousands of oscillations within the data) are not considered."""

X0 = Parameter("x0", "Delta^2 sigma0/gamma^2", 1e-3, 1e4, (0.3, 3.0, 30.0, 400.0))
NU = Parameter("nu", "Gamma/gamma", 0.05, 200.0, (0.5, 3.0, 15.0))
GAMMA = Parameter("gamma", "decay rate of the inversion, 1/t_sigma", 0.01, 3.0, (0.5, 2.0, 6.0, 20.0), dimension=-1)
SEED = Parameter("seed", "|d0|/sigma0", 1e-14, 0.5, (1e-6, 1e-2))
SCALES = "d0, N, Delta and sigma0 enter the normalised eta only through x0"


def em12_model(power: int = 1) -> RelaxationModel:
    """Eta^power of the exponential approximation (EM Eq. 12), over its limit. power: 1 or 2.

    Eq. 12 is Eq. 9 for a vanishing seed, and is integrated as that.
    """

    def progresses(values: Float[np.ndarray, "n p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, "n t"]:
        return eta_of(np.pad(values, ((0, 0), (0, 1)), constant_values=VANISHING), times) ** power

    title = f"closed form of EM Eq. 12, eta{'^2' if power == 2 else ''}"
    return RelaxationModel("em12", title, (X0, NU, GAMMA), progresses, "gamma", SCALES)


def em9_model(power: int = 1) -> RelaxationModel:
    """Eta^power of the nonlinear system (EM Eq. 9), |b| over its value when the inversion is gone.

    By scaling b, d and sigma the normalised curve has four parameters: x0, nu, gamma and the seed |d0|/sigma0;
    em12 is the limit of a vanishing seed.
    """

    def progresses(values: Float[np.ndarray, "n p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, "n t"]:
        return eta_of(values, times) ** power

    title = f"nonlinear system of EM Eq. 9, eta{'^2' if power == 2 else ''}"
    shape_only = "d0, N, Delta and sigma0 enter the normalised eta only through x0 and |d0|/sigma0"
    return RelaxationModel("em9", title, (X0, NU, GAMMA, SEED), progresses, "gamma", shape_only)


def eta_of(values: Float[np.ndarray, "n 4"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, "n t"]:
    """|b|/|b_inf| of Eq. 9 for rows (x0, nu, gamma, |d0|/sigma0); NaN where the integration did not get through."""
    out = []
    for first in range(0, len(values), LANES):
        rows = values[first : first + LANES]
        full = np.concatenate([rows, np.repeat(rows[-1:], LANES - len(rows), 0)])
        late = LATE / full[:, 2] * np.maximum(1.0, 1.0 / full[:, 1])
        until = np.minimum(times[None, :], late[:, None])
        nodes = np.array([time_nodes(t) for t in until])
        marched = signed_fields(jnp.asarray(full), jnp.asarray(np.append(nodes, 1.01 * late[:, None], 1)))
        field, slope, sound = (np.asarray(x) for x in marched)
        for lane in range(len(rows)):
            curve = hermite(until[lane], nodes[lane], field[lane, :-1], slope[lane, :-1])
            out.append(np.abs(curve / field[lane, -1]) if sound[lane] else np.full_like(times, np.nan))
    return np.array(out)


@eqx.filter_jit
def signed_fields(values: Float[Array, "n 4"], times: Float[Array, "n t"]) -> tuple[Array, Array, Array]:
    """i b and its rate, real at resonance for a real seed, (n, t) each, and whether the lane came through, (n,)."""
    x0, nu, gamma, seed = values.T
    inversion, one, none = (x0 * gamma**2)[:, None], jnp.ones_like(x0), jnp.zeros_like(x0)[:, None]
    model = MaxwellBloch(
        emission=one[:, None],
        coupling=one[:, None],
        dephasing=(nu * gamma)[:, None],
        detuning=none,
        decay=gamma[:, None],
        source=none,
        damping=none[:, 0],
        commutator=one,
        start=jnp.concatenate([none, none, seed[:, None] * inversion, none, inversion], 1),
    )
    field, polarisation, _, reached, _, _ = integrate_lanes(model, times, METHOD, in_phase=True)
    limit = jnp.abs(field[:, -1])
    return -field.imag, polarisation[..., 0].real, jnp.all(reached, 1) & jnp.isfinite(limit) & (limit > 0)


def time_nodes(times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " n"]:
    """Nodes from 0 to the last time, denser towards 0 by as much as the data are, up to e^10."""
    density = np.clip(np.log(times[-1] / times[times > 0][0]), 3.0, 10.0)
    return times[-1] * np.expm1(density * np.linspace(0.0, 1.0, NODES + 1)) / np.expm1(density)


def hermite(
    times: Float[np.ndarray, " t"],
    nodes: Float[np.ndarray, " n"],
    values: Float[np.ndarray, " n"],
    slopes: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " t"]:
    """Cubic interpolation between nodes with given slopes."""
    right = np.clip(np.searchsorted(nodes, times), 1, len(nodes) - 1)
    left = right - 1
    h = nodes[right] - nodes[left]
    s = (times - nodes[left]) / h
    ends = values[left] * (1 - s) ** 2 * (1 + 2 * s) + values[right] * s**2 * (3 - 2 * s)
    return ends + h * s * (1 - s) * (slopes[left] * (1 - s) - slopes[right] * s)
