"""The two laws of EM as progress functions: the closed form (Eq. 12) and the nonlinear system (Eq. 9)."""

import numpy as np

from jaxalloy._typing import Float
from jaxalloy.fitting.relaxation.models import Parameter, RelaxationModel
from jaxalloy.kinetics import Adaptive, ExponentialRelaxation, FreeRelaxation, Relaxation, relax

NODES = 240
LATE = 45.0
"""In population times, and dephasing times: e^-45 of the inversion and of the polarisation is left."""

MAX_STEPS = 4000
"""Of Eq. 9; parameters that need more (thousands of oscillations within the data) are not considered."""

X0 = Parameter("x0", "Delta^2 sigma0/gamma^2", 1e-3, 1e4, (0.3, 3.0, 30.0, 400.0))
NU = Parameter("nu", "Gamma/gamma", 0.05, 200.0, (0.5, 3.0, 15.0))
GAMMA = Parameter("gamma", "decay rate of the inversion, 1/t_sigma", 0.01, 3.0, (0.5, 2.0, 6.0, 20.0), dimension=-1)
SEED = Parameter("seed", "|d0|/sigma0", 1e-14, 0.5, (1e-6, 1e-2))
SCALES = "d0, N, Delta and sigma0 enter the normalised eta only through x0"


def em12_model(power: int = 1) -> RelaxationModel:
    """Eta^power of the exponential approximation (EM Eq. 12), over its limit. power: 1 or 2."""

    def progress(values: Float[np.ndarray, " p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        x0, nu, gamma = (float(value) for value in values)
        times = np.minimum(times, LATE / gamma * max(1.0, 1.0 / nu))
        nodes = time_nodes(times)
        system = ExponentialRelaxation(1.0, x0 * gamma**2, 1.0, nu * gamma, gamma)
        relaxation = relax(system, nodes)
        eta, rate = np.asarray(relaxation.eta), np.asarray(relaxation.rate)
        return hermite(times, nodes, eta, rate) ** power if bool(relaxation.converged) else np.full_like(times, np.nan)

    title = f"closed form of EM Eq. 12, eta{'^2' if power == 2 else ''}"
    return RelaxationModel("em12", title, (X0, NU, GAMMA), progress, "gamma", SCALES, 2, 40)


def em9_model(power: int = 1) -> RelaxationModel:
    """Eta^power of the nonlinear system (EM Eq. 9), |b| over its value when the inversion is gone.

    By scaling b, d and sigma the normalised curve has four parameters: x0, nu, gamma and the seed |d0|/sigma0;
    em12 is the limit of a vanishing seed.
    """

    def progress(values: Float[np.ndarray, " p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        x0, nu, gamma, seed = (float(value) for value in values)
        inversion = x0 * gamma**2
        late = LATE / gamma * max(1.0, 1.0 / nu)
        times = np.minimum(times, late)
        nodes = time_nodes(times)
        system = FreeRelaxation(1.0, inversion, seed * inversion, nu * gamma, 1.0 / gamma)
        relaxation = relax(system, np.append(nodes, 1.01 * late), Adaptive(rtol=1e-8, max_steps=MAX_STEPS))
        if not bool(relaxation.converged):
            return np.full_like(times, np.nan)
        field, slope = signed_field(relaxation)
        limit = abs(field[-1])
        return np.abs(hermite(times, nodes, field[:-1], slope[:-1]) / max(limit, 1e-300)) ** power

    title = f"nonlinear system of EM Eq. 9, eta{'^2' if power == 2 else ''}"
    shape_only = "d0, N, Delta and sigma0 enter the normalised eta only through x0 and |d0|/sigma0"
    return RelaxationModel("em9", title, (X0, NU, GAMMA, SEED), progress, "gamma", shape_only, 2, 40)


def time_nodes(times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " n"]:
    """Nodes from 0 to the last time, denser towards 0 by as much as the data are, up to e^10."""
    density = np.clip(np.log(times[-1] / times[times > 0][0]), 3.0, 10.0)
    return times[-1] * np.expm1(density * np.linspace(0.0, 1.0, NODES + 1)) / np.expm1(density)


def signed_field(relaxation: Relaxation) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """At resonance b and its rate stay on one line of the complex plane: i b for a real positive seed."""
    return -np.asarray(relaxation.field_mantissa).imag, -np.asarray(relaxation.mantissa_rate).imag


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
