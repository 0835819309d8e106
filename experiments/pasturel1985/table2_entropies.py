"""PHH Table II: entropies of liquid Li-Pb at 1000 K from the paper's own parameters.

The verdict allows for the rounding of the printed parameters (half a unit of the last digit of each).
"""

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.constants import BOLTZMANN_RY_PER_K, MASS_UNITS_PER_DALTON
from jaxalloy.reference.mixture import HardSphereYukawa

TITLE = "PHH Table II: entropies from the printed parameters"

TEMPERATURE = 1000.0
MASS_LITHIUM, MASS_LEAD = 7.016, 207.2
# c_Li, volume, eta, sigma, kappa, epsilon (mRy), S_gas, S_HS, dS_ord as printed
TABLE = [
    ("0.9", "156.7", "0.36", "4.76", "1.40", "-20.2", "10.86", "-2.57", "-0.94"),
    ("0.8", "149.6", "0.42", "4.93", "1.80", "-30.2", "11.32", "-3.42", "-1.90"),
    ("0.7", "156.6", "0.43", "5.04", "1.70", "-30.2", "11.76", "-3.59", "-2.01"),
    ("0.6", "165.5", "0.44", "5.18", "1.7", "-27.0", "12.44", "-3.76", "-1.582"),
    ("0.5", "176.3", "0.44", "5.29", "1.7", "-20.9", "13.01", "-3.76", "-1.037"),
    ("0.4", "187.7", "0.43", "5.35", "1.9", "-15.7", "13.58", "-3.59", "-0.65"),
    ("0.3", "197.5", "0.42", "5.43", "1.9", "-10.2", "14.14", "-3.50", "-0.26"),
]
NAMES = ("S_gas", "S_HS", "dS_ord")
NOTES = {
    ("0.7", "S_gas"): "misprint: 11.87 lies on the smooth curve of the others",
    ("0.8", "dS_ord"): "no kappa reaches it with the printed eta, sigma, epsilon: strongest -1.88",
    ("0.7", "dS_ord"): "no kappa reaches it with the printed eta, sigma, epsilon: strongest -1.90",
    ("0.4", "dS_ord"): "kappa would have to be 1.55",
    ("0.3", "S_HS"): "printed value belongs to eta = .4245",
}


@jax.jit
def entropies(parameters):
    """S_gas, S_HS, dS_ord in k_B/atom from (c_Li, volume, eta, sigma, kappa, epsilon in mRy)."""
    c, volume, eta, sigma, kappa, epsilon = parameters
    liquid = HardSphereYukawa(1.0 - c, eta, sigma, 1e-3 * epsilon, kappa, TEMPERATURE)
    masses = MASS_UNITS_PER_DALTON * jnp.array([MASS_LITHIUM, MASS_LEAD])
    wavelength = volume * (masses * BOLTZMANN_RY_PER_K * TEMPERATURE / (2.0 * jnp.pi)) ** 1.5
    gas = 2.5 + jnp.sum(jnp.stack([c, 1.0 - c]) * jnp.log(wavelength))
    return jnp.stack([gas, liquid.hard_sphere_entropy, liquid.ordering_entropy])


def half_digit(number):
    return 0.5 * 10.0 ** -len(number.partition(".")[2])


def rows():
    result = []
    for line in TABLE:
        parameters = jnp.array([float(number) for number in line[:6]])
        # The composition is exact; every other parameter is uncertain by half its last digit.
        rounding = np.array([0.0] + [half_digit(number) for number in line[1:6]])
        ours = np.asarray(entropies(parameters))
        slack = np.abs(np.asarray(jax.jacfwd(entropies)(parameters))) @ rounding
        for name, paper, value, allowed in zip(("S_gas", "S_HS", "dS_ord"), line[6:], ours, slack, strict=True):
            note = NOTES.get((line[0], name), "")
            result.append(Row(f"c_Li = {line[0]}  {name:6} (k_B)", paper, float(value), float(allowed), note))
    return result


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    found = rows()
    c = [float(line[0]) for line in TABLE]
    titles = ("S_gas (without mixing entropy)", "S_HS", "ΔS_ord")
    for column, (axis, title) in enumerate(zip(axes, titles, strict=True)):
        mine = found[column::3]
        slack = [row.slack for row in mine]
        axis.errorbar(
            c,
            [row.ours for row in mine],
            slack,
            fmt="o-",
            capsize=3,
            label="from its parameters ± rounding",
        )
        axis.plot(c, [float(row.paper) for row in mine], "kx", ms=9, label="printed in PHH Table II")
        axis.set(xlabel="c_Li", ylabel="k_B per atom", title=title)
        axis.legend()
    figure.suptitle("Liquid Li-Pb at 1000 K")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.table2_entropies")
