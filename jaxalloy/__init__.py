"""jaxalloy: chemical short-range order in liquid and amorphous alloys, differentiable, on CPU or GPU."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

import jax as _jax

_jax.config.update("jax_enable_x64", True)  # in single precision a pair potential has no digits left

from .alloy import Alloy as Alloy
from .alloy import liquid_volume as liquid_volume
from .dataset import interactions_dataset as interactions_dataset
from .dataset import to_dataset as to_dataset
from .electrons.empty_core import EmptyCore as EmptyCore
from .electrons.interactions import BhatiaThornton as BhatiaThornton
from .electrons.interactions import Interactions as Interactions
from .electrons.interactions import interactions as interactions
from .electrons.opw import OptimisedOPW as OptimisedOPW
from .electrons.screening import IchimaruUtsumi as IchimaruUtsumi
from .electrons.screening import NoLocalField as NoLocalField
from .electrons.screening import VashishtaSingwi as VashishtaSingwi
from .numerics.checks import InputError as InputError
from .numerics.checks import NoResultError as NoResultError
from .reference.mixture import HardSphereYukawa as HardSphereYukawa
from .scattering import MeasuredStructureFactor as MeasuredStructureFactor
from .scattering import Neutrons as Neutrons
from .scattering import XRays as XRays
from .scattering import read_structure_factor as read_structure_factor
from .scattering import structure_factor as structure_factor
from .scattering import write_structure_factor as write_structure_factor
from .thermodynamics import ContactConstraint as ContactConstraint
from .thermodynamics import EquationOfState as EquationOfState
from .thermodynamics import HardSpheres as HardSpheres
from .thermodynamics import ScanThenNewton as ScanThenNewton
from .thermodynamics import Unconstrained as Unconstrained
from .thermodynamics import VariationalState as VariationalState
from .thermodynamics import density_minimum_rule as density_minimum_rule
from .thermodynamics import equation_of_state as equation_of_state
from .thermodynamics import free_energy_bound as free_energy_bound
from .thermodynamics import minimise as minimise
from .thermodynamics import mixing as mixing
from .thermodynamics import pressure as pressure
from .thermodynamics import real_space_energy as real_space_energy

if _TYPE_CHECKING:
    from .electrons.tabulated import TabulatedPotential as TabulatedPotential
    from .fitting.batch import BatchFit as BatchFit
    from .fitting.batch import fit_batch as fit_batch
    from .fitting.fit import FitResult as FitResult
    from .fitting.fit import fit_structure_factor as fit_structure_factor
    from .fitting.inversion import OrderingInversion as OrderingInversion
    from .fitting.inversion import invert_structure_factor as invert_structure_factor
    from .fitting.least_squares import Marquardt as Marquardt
    from .fitting.model import ReferenceModel as ReferenceModel
    from .fitting.sample import sample as sample
    from .fitting.search import GeneralLoss as GeneralLoss
    from .fitting.through_bound import ThroughBound as ThroughBound
    from .kinetics import Adaptive as Adaptive
    from .kinetics import BosonicRelaxation as BosonicRelaxation
    from .kinetics import DrivenRelaxation as DrivenRelaxation
    from .kinetics import ExponentialRelaxation as ExponentialRelaxation
    from .kinetics import FreeRelaxation as FreeRelaxation
    from .kinetics import Relaxation as Relaxation
    from .kinetics import Taylor as Taylor
    from .kinetics import couplings as couplings
    from .kinetics import dce_spectrum as dce_spectrum
    from .kinetics import relax as relax
    from .kinetics import relax_many as relax_many
    from .kinetics import relaxation_parameter as relaxation_parameter
    from .kinetics import stability as stability
    from .kinetics import stationary as stationary
    from .kinetics import threshold as threshold

_LATER = {
    ".electrons.tabulated": ("TabulatedPotential",),
    ".fitting.batch": ("BatchFit", "fit_batch"),
    ".fitting.fit": ("FitResult", "fit_structure_factor"),
    ".fitting.inversion": ("OrderingInversion", "invert_structure_factor"),
    ".fitting.least_squares": ("Marquardt",),
    ".fitting.model": ("ReferenceModel",),
    ".fitting.sample": ("sample",),
    ".fitting.search": ("GeneralLoss",),
    ".fitting.through_bound": ("ThroughBound",),
    ".kinetics": (
        "Adaptive",
        "BosonicRelaxation",
        "DrivenRelaxation",
        "ExponentialRelaxation",
        "FreeRelaxation",
        "Relaxation",
        "Taylor",
        "couplings",
        "dce_spectrum",
        "relax",
        "relax_many",
        "relaxation_parameter",
        "stability",
        "stationary",
        "threshold",
    ),
}
"""What rests on libraries that are slow to import is imported when it is first asked for."""


def __getattr__(name: str):
    for module, names in _LATER.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(module, __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *(name for names in _LATER.values() for name in names)})
