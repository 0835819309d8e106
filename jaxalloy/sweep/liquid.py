"""Sweeps over the reference liquid: structure factors and ordering of the hard-sphere-Yukawa mixture."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Float
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.reference.mixture import HardSphereYukawa
from jaxalloy.sweep.axes import Axis
from jaxalloy.sweep.quantity import Lanes, Option, Output, Parameter, Quantity, checked_status, peak

FRACTION = Parameter(
    "1", "atomic fraction of the second element", None, lambda c: (c > 0) & (c < 1), "give a fraction between 0 and 1"
)
TEMPERATURE = Parameter("K", "temperature", None, lambda t: t > 0, "give a positive number of kelvin")
WAVENUMBERS = Axis("q", "linear", (0.02, 6.0), 300)
Q_OPTION = Option(WAVENUMBERS, "wave numbers in 1/bohr of curves and peaks, evenly spaced", evenly=True)

STATUSES = ("converged", "beyond the spinodal")

PEAKS = {
    "S_CC_0": Output("1", "S_CC(0), concentration fluctuations at long wavelength"),
    "S_CC_peak": Output("1", "height of the highest maximum of S_CC(q)/(c_A c_B)"),
    "q_CC_peak": Output("1/bohr", "wave number of the highest maximum of S_CC(q)"),
    "S_NN_0": Output("1", "S_NN(0), density fluctuations at long wavelength"),
    "S_NN_peak": Output("1", "height of the highest maximum of S_NN(q)"),
    "q_NN_peak": Output("1/bohr", "wave number of the highest maximum of S_NN(q)"),
    "S_NN": Output("1", "number-number structure factor", "q"),
    "S_CC": Output("1", "concentration-concentration structure factor, with c_A c_B", "q"),
}


def structure(liquid: HardSphereYukawa, q: Float[Array, " q"]) -> dict[str, Array]:
    """The outputs `PEAKS` of one liquid."""
    zero = jnp.zeros(())
    random = liquid.concentration * (1 - liquid.concentration)
    density, order = liquid.structure_factor_nn(q), liquid.structure_factor_cc(q)
    q_cc, height_cc = peak(q, order / random)
    q_nn, height_nn = peak(q, density)
    return {
        "S_CC_0": liquid.structure_factor_cc(zero),
        "S_CC_peak": height_cc,
        "q_CC_peak": q_cc,
        "S_NN_0": liquid.structure_factor_nn(zero),
        "S_NN_peak": height_nn,
        "q_NN_peak": q_nn,
        "S_NN": density,
        "S_CC": order,
    }


class LiquidLanes(Lanes):
    """`Lanes` of the reference liquid."""

    def __init__(self, options: dict[str, Any]):
        self.q = options["q"].values()
        self.curves = {"q": (self.q, "1/bohr", "wave number")}

    def __call__(self, values: dict[str, Float[Array, " n"]]) -> dict[str, Array]:
        """See `Lanes`."""
        return checked_status(STRUCTURE_FACTOR, jax.vmap(functools.partial(_liquid, q=jnp.asarray(self.q)))(values))


def _liquid(values: dict[str, Array], q: Float[Array, " q"]) -> dict[str, Array]:
    liquid = HardSphereYukawa(**values)
    stable = liquid.stable
    heat, entropy = liquid.ordering_enthalpy, liquid.ordering_entropy
    contact = liquid.contact_values
    numbers = structure(liquid, q) | {
        "enthalpy_ordering": heat,
        "entropy_ordering": entropy,
        "free_energy_ordering": heat - BOLTZMANN_RY_PER_K * liquid.temperature * entropy,
        "g_AA_contact": contact.g_AA,
        "g_AB_contact": contact.g_AB,
        "g_BB_contact": contact.g_BB,
    }
    return {name: jnp.where(stable, number, jnp.nan) for name, number in numbers.items()} | {
        "status": jnp.where(stable, 0, 1)
    }


STRUCTURE_FACTOR = Quantity(
    name="structure-factor",
    parameters={
        "concentration": FRACTION,
        "eta": Parameter(
            "1", "packing fraction", None, lambda e: (e > 0) & (e <= 0.6), "a liquid has one between 0 and 0.6"
        ),
        "sigma": Parameter("bohr", "hard-sphere diameter", None, lambda s: s > 0, "give a positive number of bohr"),
        "epsilon": Parameter("Ry", "strength of the ordering potential at contact, negative for hetero-coordination"),
        "kappa": Parameter(
            "1/bohr", "screening constant of the ordering potential", None, lambda k: k > 0, "it must be positive"
        ),
        "temperature": TEMPERATURE,
    },
    options={"q": Q_OPTION},
    outputs=PEAKS
    | {
        "enthalpy_ordering": Output("Ry/atom", "enthalpy of chemical order"),
        "entropy_ordering": Output("k_B/atom", "entropy of chemical order"),
        "free_energy_ordering": Output("Ry/atom", "free energy of chemical order"),
        "g_AA_contact": Output("1", "pair correlation of the first element with itself at contact"),
        "g_AB_contact": Output("1", "pair correlation of unlike atoms at contact"),
        "g_BB_contact": Output("1", "pair correlation of the second element with itself at contact"),
    },
    stored=("S_CC_0", "S_CC_peak", "q_CC_peak", "enthalpy_ordering", "entropy_ordering", "free_energy_ordering"),
    statuses=STATUSES,
    abreast=(256, 65_536),
    workspace=40_000,
    chunk=(65_536, 1_048_576),
    make=LiquidLanes,
)
