"""Results as xarray datasets: every variable with its unit and what it is, ready for a netCDF file or a figure."""

import dataclasses
import itertools
import pathlib
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.electrons.interactions import Interactions, bhatia_thornton
from jaxalloy.numerics.programs import program
from jaxalloy.reference.mixture import HardSphereYukawa
from jaxalloy.scattering import Neutrons, Partials, Probe, structure_factor
from jaxalloy.thermodynamics.bound import Entropy, FreeEnergy
from jaxalloy.thermodynamics.variational import VariationalState

if TYPE_CHECKING:
    import xarray as xr

Variable = tuple[tuple[str, ...], np.ndarray, dict[str, str]]

DISTANCES = np.linspace(2.0, 25.0, 921)
"""bohr; from inside the cores to where the potentials have died out."""


@dataclasses.dataclass(frozen=True)
class Contents:
    """What a dataset is made of; `contents["eta"]` is the array of that name.

    variables, coordinates: dimensions, values, and the attributes `units` and `long_name`, by name. attrs: texts of
    the whole.
    """

    variables: dict[str, Variable]
    coordinates: dict[str, Variable]
    attrs: dict[str, str | int]

    def __getitem__(self, name: str) -> np.ndarray:
        return (self.variables | self.coordinates)[name][1]


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

    found = contents(state, probe, q, R)
    return xr.Dataset(found.variables, found.coordinates, found.attrs)


def contents(
    state: VariationalState,
    probe: Probe | None = None,
    q: Float[Array, " q"] | None = None,
    R: Float[Array, " R"] | None = None,
) -> Contents:
    """What `to_dataset` makes a dataset of; arguments as there."""
    probe = Neutrons() if probe is None else probe
    q = jax.device_put(np.linspace(0.015, 6.0, 400)) if q is None else q
    R = jax.device_put(DISTANCES) if R is None else R
    variables: dict[str, Variable] = {
        name: ((), np.asarray(value), {"units": unit, "long_name": meaning})
        for name, (value, unit, meaning) in scalars(state).items()
    }
    for name, (dimension, values, unit, meaning) in curves(state, probe, q, R).items():
        variables[name] = ((dimension,), np.asarray(values), {"units": unit, "long_name": meaning})
    alloy = state.alloy
    A, B = alloy.symbols
    wavenumber, distance = np.asarray(q), np.asarray(R)
    coordinates: dict[str, Variable] = {
        "q": (("q",), wavenumber, {"units": "1/bohr", "long_name": "wave number"}),
        "q_angstrom": (("q",), wavenumber / BOHR_IN_ANGSTROM, {"units": "1/angstrom", "long_name": "wave number"}),
        "R": (("R",), distance, {"units": "bohr", "long_name": "distance"}),
    }
    attributes: dict[str, str | int] = {
        "element_A": A,
        "element_B": B,
        "volume_source": alloy.volume_source,
        "potential": state.interactions.potential,
        "probe": describe(probe),
        "status": state.status,
        "converged": int(state.status == "converged"),
    }
    return Contents(variables, coordinates, attributes)


def write_netcdf(contents: Contents, path: pathlib.Path) -> None:
    """Write a netCDF-4 file that `xarray.open_dataset` reads as the same dataset; without xarray, slow to import."""
    import h5netcdf

    everything = contents.variables | contents.coordinates
    auxiliary = [name for name, (dimensions, _, _) in contents.coordinates.items() if dimensions != (name,)]
    with h5netcdf.File(path, "w") as file:
        sizes = [zip(dimensions, values.shape, strict=True) for dimensions, values, _ in everything.values()]
        file.dimensions = dict(itertools.chain(*sizes))
        for name, (dimensions, values, attributes) in everything.items():
            variable = file.create_variable(name, dimensions, values.dtype, data=values)
            variable.attrs.update(attributes)
        file.attrs.update(contents.attrs | {"coordinates": " ".join(auxiliary)})


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
    numbers = _numbers(state.alloy.without_texts(), state.liquid, state.free_energy, state.entropy)
    return {name: (float(value), unit, meaning) for name, (value, unit, meaning) in numbers.items()}


@program
def _numbers(
    alloy: Alloy, liquid: HardSphereYukawa, energy: FreeEnergy, entropy: Entropy
) -> dict[str, tuple[Scalar, str, str]]:
    return {
        "concentration": (alloy.concentration, "1", "atomic fraction of the second element"),
        "temperature": (alloy.temperature, "K", "temperature"),
        "volume": (alloy.volume, "bohr^3", "mean atomic volume"),
        "eta": (liquid.eta, "1", "packing fraction"),
        "sigma": (liquid.sigma, "bohr", "hard-sphere diameter"),
        "kappa": (liquid.kappa, "1/bohr", "screening constant of the ordering potential"),
        "epsilon": (liquid.epsilon, "Ry", "ordering potential at contact is -epsilon"),
        "entropy_gas": (entropy.gas, "k_B/atom", "entropy of the ideal gas without mixing"),
        "entropy_mixing": (entropy.mixing, "k_B/atom", "ideal entropy of mixing"),
        "entropy_hard_sphere": (entropy.hard_sphere, "k_B/atom", "entropy of packing"),
        "entropy_ordering": (entropy.ordering, "k_B/atom", "entropy of chemical order"),
        "entropy_total": (entropy.total, "k_B/atom", "entropy"),
        "energy_volume": (energy.volume, "Ry/atom", "structure-independent energy"),
        "energy_band_structure": (energy.band_structure, "Ry/atom", "band-structure energy"),
        "energy_electrostatic": (energy.electrostatic, "Ry/atom", "electrostatic energy"),
        "energy_thermal": (energy.thermal, "Ry/atom", "kinetic energy of the ions"),
        "enthalpy": (energy.energy, "Ry/atom", "internal energy, and enthalpy at zero pressure"),
        "free_energy": (energy.total, "Ry/atom", "upper bound to the free energy"),
    }


def describe(probe: Probe) -> str:
    """A probe in words, as in "neutrons, 7Li"."""
    if not isinstance(probe, Neutrons):
        return "x-rays"
    isotopes = [f"{number}{symbol}" for symbol, number in probe.isotopes]
    lengths = [f"b({symbol}) = {length:g} fm" for symbol, length in probe.lengths_fm]
    return ", ".join(["neutrons", *isotopes, *lengths])


def curves(
    state: VariationalState, probe: Probe, q: Float[Array, " q"], R: Float[Array, " R"]
) -> dict[str, tuple[str, Array, str, str]]:
    """The curves of a state by name: dimension, values, unit, and what it is."""
    alloy = dataclasses.replace(state.alloy, volume_source="")
    values = _evaluate(alloy, state.interactions, state.liquid, probe, q, R)
    A, B = state.alloy.symbols
    pairs = {"AA": f"{A}-{A}", "AB": f"{A}-{B}", "BB": f"{B}-{B}"}
    meanings = (
        {f"phi_{pair}": ("R", "Ry", f"pair potential {label}") for pair, label in pairs.items()}
        | {f"g_{pair}": ("R", "1", f"pair correlation function {label}") for pair, label in pairs.items()}
        | {f"phi_{name}": ("R", "Ry", f"pair potential, {name} combination") for name in ("NN", "NC", "CC")}
        | {
            "phi_CC_reference": ("R", "Ry", "ordering potential of the reference liquid, beyond sigma"),
            "S_NN": ("q", "1", "number-number structure factor"),
            "S_CC": ("q", "1", "concentration-concentration structure factor, with c_A c_B"),
            "S": ("q", "1", f"composite structure factor seen by {describe(probe)}"),
        }
    )
    return {name: (over, values[name], unit, meaning) for name, (over, unit, meaning) in meanings.items()}


@program
def _evaluate(alloy: Alloy, interactions: Interactions, liquid: HardSphereYukawa, probe: Probe, q, R):
    """The curves by name."""
    pairs = interactions.pair_potentials(R)
    combined = bhatia_thornton(pairs, interactions.concentration)
    S_NN, S_CC = liquid.structure_factor_nn(q), liquid.structure_factor_cc(q)
    partials = Partials(alloy.symbols, alloy.concentration, S_NN, jnp.zeros_like(S_NN), S_CC)
    g = liquid.pair_correlations(R)
    return {
        "phi_AA": pairs[0],
        "phi_AB": pairs[1],
        "phi_BB": pairs[2],
        "g_AA": g.g_AA,
        "g_AB": g.g_AB,
        "g_BB": g.g_BB,
        "phi_NN": combined.NN,
        "phi_NC": combined.NC,
        "phi_CC": combined.CC,
        "phi_CC_reference": jnp.where(R > liquid.sigma, liquid.ordering_potential(R), jnp.nan),
        "S_NN": S_NN,
        "S_CC": S_CC,
        "S": structure_factor(partials, q, probe),
    }
