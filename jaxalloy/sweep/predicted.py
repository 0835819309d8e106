"""Sweeps of `predict`: interactions and the minimised free-energy bound of an alloy, state by state."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Bool, Float
from jaxalloy.alloy import Alloy, parse_formula
from jaxalloy.electrons import screening
from jaxalloy.electrons.core_levels import CORE_SHIFTS, CORE_ZEROS, sphere_radius
from jaxalloy.electrons.empty_core import EmptyCore
from jaxalloy.electrons.interactions import interactions
from jaxalloy.electrons.opw import GAS_DENSITIES, HOLES, LARGEST_OVERLAP, OptimisedOPW
from jaxalloy.elements.cores import KINDS, elements_with_cores
from jaxalloy.numerics.checks import InputError
from jaxalloy.scattering import Neutrons, XRays, structure_factor
from jaxalloy.sweep.liquid import FRACTION, PEAKS, Q_OPTION, TEMPERATURE, structure
from jaxalloy.sweep.quantity import Lanes, Option, Output, Parameter, Quantity, checked_status, peak
from jaxalloy.thermodynamics import ContactConstraint, HardSpheres, Unconstrained, minimise
from jaxalloy.thermodynamics.search import NO_MINIMUM, NOT_CONVERGED, SADDLE
from jaxalloy.thermodynamics.variational import ESCAPES, READINGS, Constraint

LOCAL_FIELDS = {
    "ichimaru-utsumi": screening.IchimaruUtsumi,
    "vashishta-singwi": screening.VashishtaSingwi,
    "none": screening.NoLocalField,
}
NO_MINIMA = tuple(f"no minimum ({escape})" if escape else "no minimum" for escape in ESCAPES)
STATUSES = (
    "converged",
    *NO_MINIMA,
    "not converged",
    "stationary but no minimum",
    "density beyond the potential",
)
OPW_CHOICES = {"cores": KINDS, "hole": HOLES, "core_shift": CORE_SHIFTS, "core_zero": CORE_ZEROS}


class PredictLanes(Lanes):
    """`Lanes` of the variational state of an alloy."""

    def __init__(self, options: dict[str, Any]):
        self.symbols, self.composition = alloy_of(options["alloy"])
        self.potential = potential_of(options, self.symbols)
        self.q = options["q"].values()
        self.curves = {"q": (self.q, "1/bohr", "wave number")}
        self.probe = _probe(options)
        constraints: dict[str, Constraint] = {
            "contact": ContactConstraint(options["reading"]),
            "none": Unconstrained(),
            "hard-spheres": HardSpheres(),
        }
        self.constraint = constraints[options["constraint"]]
        self.probe.lengths(self.symbols, jnp.asarray(self.q))  # an element without a length is bad input

    def __call__(self, values: dict[str, Float[Array, " n"]]) -> dict[str, Array]:
        """See `Lanes`."""
        return checked_status(PREDICT, jax.vmap(self._one)(values))

    def _one(self, values: dict[str, Array]) -> dict[str, Array]:
        c = values.get("concentration", self.composition)
        alloy = Alloy.of(self.symbols, c, values["temperature"], values.get("volume"))
        potential = self.potential
        radii = {
            symbol: values[name]
            for symbol, name in zip(self.symbols, ("radius_A", "radius_B"), strict=True)
            if name in values
        }
        if radii:
            potential = EmptyCore(radii, potential.local_field)
        state = minimise(alloy, interactions(alloy, potential), self.constraint)
        q = jnp.asarray(self.q)
        composite = structure_factor(state, q, self.probe)
        position, height = peak(q, composite)
        energy, entropy = state.free_energy, state.entropy
        numbers = structure(state.liquid, q) | {
            "eta": state.eta,
            "sigma": state.sigma,
            "kappa": state.kappa,
            "epsilon": state.epsilon,
            "atomic_volume": alloy.volume,
            "entropy_hard_sphere": entropy.hard_sphere,
            "entropy_ordering": entropy.ordering,
            "entropy_total": entropy.total,
            "enthalpy": state.enthalpy,
            "free_energy": energy.total,
            "gradient_norm": state.gradient_norm,
            "S": composite,
            "S_peak": height,
            "q_peak": position,
        }
        code = jnp.where(state.status_code == NO_MINIMUM, 1 + state.escape_code, 0)
        after = 1 + len(NO_MINIMA)
        for status, number in ((NOT_CONVERGED, after), (SADDLE, after + 1)):
            code = jnp.where(state.status_code == status, number, code)
        covered = self._covered(alloy)
        code = jnp.where(covered, code, after + 2)
        kept = {name: jnp.where(covered, number, jnp.nan) for name, number in numbers.items()}
        return kept | {"status": code, "atomic_volume": alloy.volume}

    def _covered(self, alloy: Alloy) -> Bool[Array, ""]:
        """Whether the potential covers this density, as `electrons.opw.check_density` asks of a known one."""
        if not isinstance(self.potential, OptimisedOPW):
            return jnp.asarray(True)
        density = alloy.electron_density
        radius = sphere_radius(alloy.mean_valence, density)
        covered = (density > GAS_DENSITIES[0]) & (density < GAS_DENSITIES[1])
        for core in self.potential.frozen_cores(self.symbols):
            outside = jnp.where(core.radius > radius, core.weight, 0.0) @ core.at(density).orbitals ** 2
            covered &= jnp.max(outside) < LARGEST_OVERLAP
        return covered


def alloy_of(formula: Any) -> tuple[tuple[str, str], float]:
    """Elements and composition of the option `alloy`; the composition counts where nothing else gives one."""
    if not isinstance(formula, str):
        raise InputError('options.alloy is missing: name the elements, as in alloy = "LiPb"')
    return parse_formula(formula)


def potential_of(options: dict[str, Any], symbols: tuple[str, str]) -> EmptyCore | OptimisedOPW:
    """The potential that the options name; "auto" has first-principles cores where both elements have them."""
    name = options["potential"]
    chosen = {key: options[key] for key in OPW_CHOICES if options[key] is not None}
    if name == "auto":
        name = "opw" if set(symbols) <= set(elements_with_cores()) or chosen else "empty-core"
    electrons: dict[str, Any] = {"local_field": LOCAL_FIELDS[options["local_field"]]()}
    if name == "empty-core":
        if chosen or options["preset"] == "paper":
            raise InputError(f"options.{next(iter(chosen), 'preset')}: it belongs to the optimised OPW potential")
        return EmptyCore(**electrons)
    make = OptimisedOPW.paper if options["preset"] == "paper" else OptimisedOPW
    potential = make(**chosen, **electrons)
    potential.frozen_cores(symbols)
    return potential


def _probe(options: dict[str, Any]) -> Neutrons | XRays:
    if options["probe"] == "xray":
        if options["isotopes"]:
            raise InputError('options.isotopes: x-rays see none; leave it away, or use probe = "neutron"')
        return XRays()
    return Neutrons(options["isotopes"])


RADIUS = Parameter("bohr", "core radius", None, lambda r: r >= 0, "it must not be negative")

PREDICT = Quantity(
    name="predict",
    parameters={
        "concentration": FRACTION,
        "temperature": TEMPERATURE,
        "volume": Parameter("bohr^3", "mean atomic volume", None, lambda v: v > 0, "it must be positive"),
        "radius_A": RADIUS._replace(meaning="empty-core radius of the first element"),
        "radius_B": RADIUS._replace(meaning="empty-core radius of the second element"),
    },
    options={
        "alloy": Option(None, 'the elements, as in "LiPb", and the composition where no axis or fixed value gives it'),
        "potential": Option("auto", "pseudopotential", ("auto", "opw", "empty-core")),
        "preset": Option("default", "choices of the OPW method", ("default", "paper")),
        "cores": Option(None, "how the cores were solved", KINDS),
        "hole": Option(None, "shape of the orthogonalisation hole", HOLES),
        "core_shift": Option(None, "reference of the core levels", CORE_SHIFTS),
        "core_zero": Option(None, "zero of the core levels", CORE_ZEROS),
        "local_field": Option("ichimaru-utsumi", "of the electron gas", tuple(LOCAL_FIELDS)),
        "constraint": Option("contact", "what the bound is minimised under", ("contact", "none", "hard-spheres")),
        "reading": Option("ordering", "of the contact constraint", READINGS),
        "probe": Option("neutron", "what sees S(q)", ("neutron", "xray")),
        "isotopes": Option({}, "mass numbers by element, as in { Li = 7 }"),
        "q": Q_OPTION,
    },
    outputs=PEAKS
    | {
        "eta": Output("1", "packing fraction"),
        "sigma": Output("bohr", "hard-sphere diameter"),
        "kappa": Output("1/bohr", "screening constant of the ordering potential"),
        "epsilon": Output("Ry", "ordering potential at contact is -epsilon"),
        "atomic_volume": Output("bohr^3", "mean atomic volume"),
        "entropy_hard_sphere": Output("k_B/atom", "entropy of packing"),
        "entropy_ordering": Output("k_B/atom", "entropy of chemical order"),
        "entropy_total": Output("k_B/atom", "entropy"),
        "enthalpy": Output("Ry/atom", "internal energy, and enthalpy at zero pressure"),
        "free_energy": Output("Ry/atom", "upper bound to the free energy"),
        "gradient_norm": Output("Ry", "what is left of the stationarity conditions"),
        "S": Output("1", "composite structure factor", "q"),
        "S_peak": Output("1", "height of the highest maximum of the composite S(q)"),
        "q_peak": Output("1/bohr", "wave number of the highest maximum of the composite S(q)"),
    },
    stored=("eta", "sigma", "kappa", "epsilon", "entropy_ordering", "S_CC_0", "S_peak", "q_peak"),
    statuses=STATUSES,
    abreast=(16, 4096),
    workspace=700_000,
    chunk=(512, 16_384),
    make=PredictLanes,
    optional=("concentration", "volume", "radius_A", "radius_B"),
)
