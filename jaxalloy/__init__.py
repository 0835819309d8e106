"""jaxalloy: chemical short-range order in liquid and amorphous alloys, differentiable, on CPU or GPU."""

import jax as _jax

_jax.config.update("jax_enable_x64", True)  # in single precision a pair potential has no digits left

from .alloy import Alloy as Alloy
from .alloy import liquid_volume as liquid_volume
from .electrons.empty_core import EmptyCore as EmptyCore
from .electrons.interactions import BhatiaThornton as BhatiaThornton
from .electrons.interactions import Interactions as Interactions
from .electrons.interactions import interactions as interactions
from .electrons.screening import IchimaruUtsumi as IchimaruUtsumi
from .electrons.screening import NoLocalField as NoLocalField
from .electrons.screening import VashishtaSingwi as VashishtaSingwi
from .electrons.tabulated import TabulatedPotential as TabulatedPotential
from .numerics.checks import InputError as InputError
from .numerics.checks import NoResultError as NoResultError
from .reference.mixture import HardSphereYukawa as HardSphereYukawa
from .scattering import Neutrons as Neutrons
from .scattering import XRays as XRays
from .scattering import structure_factor as structure_factor
from .thermodynamics import ContactConstraint as ContactConstraint
from .thermodynamics import HardSpheres as HardSpheres
from .thermodynamics import ScanThenNewton as ScanThenNewton
from .thermodynamics import Unconstrained as Unconstrained
from .thermodynamics import VariationalState as VariationalState
from .thermodynamics import density_minimum_rule as density_minimum_rule
from .thermodynamics import free_energy_bound as free_energy_bound
from .thermodynamics import minimise as minimise
from .thermodynamics import mixing as mixing
from .thermodynamics import real_space_energy as real_space_energy
