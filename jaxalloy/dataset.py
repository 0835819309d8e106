"""Results as xarray datasets: every variable with its unit and what it is, ready for a netCDF file or a figure."""

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.electrons.interactions import Interactions
from jaxalloy.numerics.programs import program
from jaxalloy.scattering import Neutrons, Probe, structure_factor
from jaxalloy.thermodynamics.variational import VariationalState

if TYPE_CHECKING:
    import xarray as xr

DISTANCES = np.linspace(2.0, 25.0, 921)
"""bohr; from inside the cores to where the potentials have died out."""


def to_dataset(
    state: VariationalState,
    probe: Probe | None = None,
    q: Float[Array, " q"] | None = None,
    R: Float[Array, " R"] | None = None,
) -> "xr.Dataset":
    """A variational state as a dataset: its parameters, energies and entropies, and its curves over q and R.

    probe: what the composite structure factor is seen with, neutrons and natural elements by default.
    q: wave numbers, 1/bohr. R: distances, bohr. Returns an `xarray.Dataset` whose every variable has the
    attributes `units` and `long_name`, and which names the alloy and the assumptions in its own attributes.
    """
    import xarray as xr  # slow to import

    probe = Neutrons() if probe is None else probe
    q = jnp.asarray(np.linspace(0.015, 6.0, 400)) if q is None else q
    R = jnp.asarray(DISTANCES) if R is None else R
    variables: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]] = {
        name: ((), np.asarray(value), {"units": unit, "long_name": meaning})
        for name, (value, unit, meaning) in scalars(state).items()
    }
    for name, (dimension, values, unit, meaning) in _curves(state, probe, q, R).items():
        variables[name] = ((dimension,), np.asarray(values), {"units": unit, "long_name": meaning})
    alloy = state.alloy
    A, B = alloy.symbols
    coordinates = {
        "q": ("q", np.asarray(q), {"units": "1/bohr", "long_name": "wave number"}),
        "q_angstrom": (
            "q",
            np.asarray(q) / BOHR_IN_ANGSTROM,
            {"units": "1/angstrom", "long_name": "wave number"},
        ),
        "R": ("R", np.asarray(R), {"units": "bohr", "long_name": "distance"}),
    }
    attributes = {
        "element_A": A,
        "element_B": B,
        "volume_source": alloy.volume_source,
        "potential": state.interactions.potential,
        "probe": describe(probe),
        "status": state.status,
        "converged": int(bool(state.converged)),
    }
    return xr.Dataset(variables, coordinates, attributes)


def interactions_dataset(alloy: Alloy, interactions: Interactions, R: Float[Array, " R"] | None = None) -> "xr.Dataset":
    """Interactions of an alloy as a dataset: potentials and screening charges over R, characteristics over q.

    R: distances, bohr. Every variable has the attributes `units` and `long_name`.
    """
    import xarray as xr  # slow to import

    R = jnp.asarray(np.linspace(0.05, 25.0, 999)) if R is None else R
    A, B = alloy.symbols
    order = np.argsort(np.asarray(interactions.q))
    pairs = {"AA": f"{A}-{A}", "AB": f"{A}-{B}", "BB": f"{B}-{B}"}
    phi, combined, density = _evaluate_interactions(interactions, R)
    variables: dict[str, Any] = {
        "concentration": ((), alloy.concentration, "1", "atomic fraction of the second element"),
        "volume": ((), alloy.volume, "bohr^3", "mean atomic volume"),
        "fermi_wavenumber": ((), alloy.fermi_wavenumber, "1/bohr", "Fermi wavenumber"),
    }
    for index, symbol in enumerate((A, B)):
        name = "AB"[index]
        variables |= {
            f"valence_{name}": ((), alloy.valences[index], "1", f"valence of {symbol}"),
            f"effective_valence_{name}": ((), interactions.effective_valences[index], "1", f"Z* of {symbol}"),
            f"rho_{name}": ("q", interactions.screening_charge[index][order], "1", f"screening charge of {symbol}"),
            f"density_{name}": ("R", density[index], "bohr^-3", f"screening charge density around {symbol}"),
        }
    for index, (name, label) in enumerate(pairs.items()):
        characteristic = interactions.characteristics[index][order]
        variables[f"F_{name}"] = ("q", characteristic, "Ry", f"energy-wavenumber characteristic {label}")
        variables[f"phi_{name}"] = ("R", phi[index], "Ry", f"pair potential {label}")
    for name, values in zip(("NN", "NC", "CC"), combined, strict=True):
        variables[f"phi_{name}"] = ("R", values, "Ry", f"pair potential, {name} combination")
    return xr.Dataset(
        {
            name: (dimension, np.asarray(values), {"units": unit, "long_name": meaning})
            for name, (dimension, values, unit, meaning) in variables.items()
        },
        {
            "q": ("q", np.asarray(interactions.q)[order], {"units": "1/bohr", "long_name": "wave number"}),
            "R": ("R", np.asarray(R), {"units": "bohr", "long_name": "distance"}),
        },
        {
            "element_A": A,
            "element_B": B,
            "volume_source": alloy.volume_source,
            "potential": interactions.potential,
        },
    )


@program
def _evaluate_interactions(interactions, R):
    return interactions.pair_potentials(R), tuple(interactions.bhatia_thornton(R)), interactions.screening_density(R)


def scalars(state: VariationalState) -> dict[str, tuple[float, str, str]]:
    """The numbers of a state by name: value, unit, and what it is."""
    return {name: (float(value), unit, meaning) for name, (value, unit, meaning) in _numbers(state).items()}


@program
def _numbers(state: VariationalState) -> dict[str, tuple[Scalar, str, str]]:
    energy, entropy = state.free_energy, state.entropy
    return {
        "concentration": (state.alloy.concentration, "1", "atomic fraction of the second element"),
        "temperature": (state.alloy.temperature, "K", "temperature"),
        "volume": (state.alloy.volume, "bohr^3", "mean atomic volume"),
        "eta": (state.eta, "1", "packing fraction"),
        "sigma": (state.sigma, "bohr", "hard-sphere diameter"),
        "kappa": (state.kappa, "1/bohr", "screening constant of the ordering potential"),
        "epsilon": (state.epsilon, "Ry", "ordering potential at contact is -epsilon"),
        "entropy_gas": (entropy.gas, "k_B/atom", "entropy of the ideal gas without mixing"),
        "entropy_mixing": (entropy.mixing, "k_B/atom", "ideal entropy of mixing"),
        "entropy_hard_sphere": (entropy.hard_sphere, "k_B/atom", "entropy of packing"),
        "entropy_ordering": (entropy.ordering, "k_B/atom", "entropy of chemical order"),
        "entropy_total": (entropy.total, "k_B/atom", "entropy"),
        "energy_volume": (energy.volume, "Ry/atom", "structure-independent energy"),
        "energy_band_structure": (energy.band_structure, "Ry/atom", "band-structure energy"),
        "energy_electrostatic": (energy.electrostatic, "Ry/atom", "electrostatic energy"),
        "energy_thermal": (energy.thermal, "Ry/atom", "kinetic energy of the ions"),
        "enthalpy": (state.enthalpy, "Ry/atom", "internal energy, and enthalpy at zero pressure"),
        "free_energy": (energy.total, "Ry/atom", "upper bound to the free energy"),
    }


def describe(probe: Probe) -> str:
    """A probe in words, as in "neutrons, 7Li"."""
    if not isinstance(probe, Neutrons):
        return "x-rays"
    isotopes = [f"{number}{symbol}" for symbol, number in probe.isotopes]
    lengths = [f"b({symbol}) = {length:g} fm" for symbol, length in probe.lengths_fm]
    return ", ".join(["neutrons", *isotopes, *lengths])


def _curves(
    state: VariationalState, probe: Probe, q: Float[Array, " q"], R: Float[Array, " R"]
) -> dict[str, tuple[str, Array, str, str]]:
    """The curves of a state by name: dimension, values, unit, and what it is."""
    pairs, combined, reference, S_NN, S_CC, S, g = _evaluate(state, probe, q, R)
    A, B = state.alloy.symbols
    labels = (f"{A}-{A}", f"{A}-{B}", f"{B}-{B}")
    curves = {}
    for name, label, phi, g_ij in zip(("AA", "AB", "BB"), labels, pairs, g, strict=True):
        curves[f"phi_{name}"] = ("R", phi, "Ry", f"pair potential {label}")
        curves[f"g_{name}"] = ("R", g_ij, "1", f"pair correlation function {label}")
    for name, phi in zip(("NN", "NC", "CC"), combined, strict=True):
        curves[f"phi_{name}"] = ("R", phi, "Ry", f"pair potential, {name} combination")
    return curves | {
        "phi_CC_reference": ("R", reference, "Ry", "ordering potential of the reference liquid, beyond sigma"),
        "S_NN": ("q", S_NN, "1", "number-number structure factor"),
        "S_CC": ("q", S_CC, "1", "concentration-concentration structure factor, with c_A c_B"),
        "S": ("q", S, "1", f"composite structure factor seen by {describe(probe)}"),
    }


@program
def _evaluate(state, probe, q, R):
    pairs = state.interactions.pair_potentials(R)
    combined = state.interactions.bhatia_thornton(R)
    reference = jnp.where(R > state.sigma, state.liquid.ordering_potential(R), jnp.nan)
    S_NN, S_CC = state.liquid.structure_factor_nn(q), state.liquid.structure_factor_cc(q)
    correlations = state.liquid.pair_correlations(R)
    g = (correlations.g_AA, correlations.g_AB, correlations.g_BB)
    return pairs, tuple(combined), reference, S_NN, S_CC, structure_factor(state, q, probe), g
