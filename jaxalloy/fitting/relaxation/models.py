"""Laws of isothermal relaxation as progress functions, 0 at the start and 1 when all is over.

The time in them is t/T, T the last time of the data; a fit varies the logarithm of every positive parameter.
"""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np

from jaxalloy._typing import Float

Progress = Callable[[Float[np.ndarray, " p"], Float[np.ndarray, " t"]], Float[np.ndarray, " t"]]
Progresses = Callable[[Float[np.ndarray, "n p"], Float[np.ndarray, " t"]], Float[np.ndarray, "n t"]]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter of a law.

    dimension: the power of time it carries, 1 a time, -1 a rate, 0 a number. lower, upper: in units of T, widened
    by the time of the third point for times and rates. positive: fitted by its logarithm. starts: a coarse grid.
    """

    name: str
    meaning: str
    lower: float
    upper: float
    starts: tuple[float, ...]
    dimension: int = 0
    positive: bool = True


@dataclasses.dataclass(frozen=True)
class RelaxationModel:
    """A law: its parameters, its progress, and which of them is the rate of Arrhenius' law.

    progresses: (rows of values (n, p), t/T (t,)) -> (n, t). shape_only: what the curve cannot tell whatever its
    quality, in words.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    progresses: Progresses
    rate: str | None = None
    shape_only: str = ""

    def progress(self, values: Float[np.ndarray, " p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        """From 0 at the start to 1 when all is over, at these times over the last one."""
        return self.progresses(values[None, :], times)[0]

    def grid(self) -> list[tuple[float, ...]]:
        """Every combination of the parameters' starts."""
        return list(itertools.product(*(parameter.starts for parameter in self.parameters)))


def one_by_one(progress: Progress) -> Progresses:
    """The progress of many values from that of one."""
    return lambda values, times: np.array([progress(row, times) for row in values])


def time_parameter(name: str, meaning: str) -> Parameter:
    """A relaxation time between that of the third point and a hundred last times."""
    return Parameter(name, meaning, 1.0, 100.0, (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0), dimension=1)


def exponential_progress(values: Float[np.ndarray, " p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
    """1 - exp(-t/tau)."""
    return -np.expm1(-times / values[0])


def kww_progress(values: Float[np.ndarray, " p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
    """The stretched exponential of Kohlrausch, Williams and Watts, 1 - exp[-(t/tau)^beta]."""
    return -np.expm1(-((times / values[0]) ** values[1]))


BOX_NODES, BOX_WEIGHTS = np.polynomial.legendre.leggauss(96)
NORMAL_NODES = np.linspace(-6.0, 6.0, 121)
NORMAL_WEIGHTS = np.exp(-0.5 * NORMAL_NODES**2) / np.sum(np.exp(-0.5 * NORMAL_NODES**2))


def box_progress(values: Float[np.ndarray, " p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
    """Processes of activation energies spread evenly (Primak, Gibbs): ln tau even over a width w = (E2 - E1)/kT.

    1 - [E_1(t/tau_2) - E_1(t/tau_1)]/w, ln tau_{1,2} = ln tau -+ w/2; logarithmic in time between the two.
    """
    logs = np.log(values[0]) + 0.5 * values[1] * BOX_NODES
    return -np.expm1(-times[:, None] * np.exp(-logs)[None, :]) @ (0.5 * BOX_WEIGHTS)


def normal_progress(values: Float[np.ndarray, " p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
    """Processes of normally distributed activation energies: mean ln tau, standard deviation s = sd(E)/kT."""
    logs = np.log(values[0]) + values[1] * NORMAL_NODES
    return -np.expm1(-times[:, None] * np.exp(-logs)[None, :]) @ NORMAL_WEIGHTS


def tnm_progress(values: Float[np.ndarray, " p"], times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
    """Tool, Narayanaswamy and Moynihan after one jump of temperature, isothermal: 1 - p, p = (T_f - T)/(T_f0 - T).

    p = exp(-xi^beta),  d xi/dt = e^{theta p}/tau,  theta = (1 - x) h (T_f0 - T)/T^2
    the law's ln tau(T, T_f) to first order in T_f - T. theta > 0 (a quenched glass) slows itself down; theta = 0
    is the stretched exponential. t(xi) is a quadrature on a grid even in ln xi and is inverted by interpolation.
    """
    tau, beta, theta = values
    smallest, largest = 1e-2 * times[times > 0].min() / tau * np.exp(-abs(theta)), 60.0 ** (1 / beta)
    reach = max(times.max() / tau * np.exp(max(theta, 0.0)) * 1.01, 10 * smallest)
    log_xi = np.linspace(np.log(smallest), np.log(max(min(reach, largest), 10 * smallest)), 2001)
    left = np.exp(-np.exp(beta * log_xi))
    pace = np.exp(log_xi - theta * left)
    step = log_xi[1] - log_xi[0]
    spent = np.concatenate([[0.0], np.cumsum(0.5 * (pace[1:] + pace[:-1]))]) * step
    clock = np.log(spent + np.exp(log_xi[0] - theta * left[0]))
    xi = np.interp(np.log(np.maximum(times, 1e-300) / tau), clock, log_xi, left=-np.inf)
    return -np.expm1(-np.exp(beta * xi))


BETA = Parameter("beta", "stretching exponent", 0.1, 4.0, (0.4, 0.7, 1.0, 1.6))

EXPONENTIAL = RelaxationModel(
    "exponential",
    "one rate, 1 - exp(-t/tau)",
    (time_parameter("tau", "relaxation time"),),
    one_by_one(exponential_progress),
    rate="tau",
)
KWW = RelaxationModel(
    "kww",
    "stretched exponential, 1 - exp[-(t/tau)^beta]",
    (time_parameter("tau", "relaxation time"), BETA),
    one_by_one(kww_progress),
    rate="tau",
)
AGE = RelaxationModel(
    "age",
    "even spectrum of activation energies",
    (
        time_parameter("tau", "time of the middle energy"),
        Parameter("width", "(E2 - E1)/kT", 0.05, 40.0, (1.0, 4.0, 12.0)),
    ),
    one_by_one(box_progress),
    rate="tau",
    shape_only="energies need the attempt frequency: only E - kT ln(nu0) and the width enter",
)
AGE_NORMAL = RelaxationModel(
    "age-normal",
    "normal spectrum of activation energies",
    (
        time_parameter("tau", "time of the mean energy"),
        Parameter("width", "standard deviation of E/kT", 0.02, 8.0, (0.3, 1.5, 4.0)),
    ),
    one_by_one(normal_progress),
    rate="tau",
    shape_only="energies need the attempt frequency: only E - kT ln(nu0) and the width enter",
)
TNM = RelaxationModel(
    "tnm",
    "Tool-Narayanaswamy-Moynihan, isothermal",
    (
        time_parameter("tau", "relaxation time in equilibrium"),
        BETA,
        Parameter("theta", "(1 - x) h (T_f0 - T)/T^2", -8.0, 8.0, (-2.0, 0.0, 2.0), positive=False),
    ),
    one_by_one(tnm_progress),
    rate="tau",
    shape_only="x, h and the initial fictive temperature enter one isotherm only through theta",
)
CONSTANT = RelaxationModel("constant", "no relaxation", (), one_by_one(lambda values, times: np.zeros_like(times)))
