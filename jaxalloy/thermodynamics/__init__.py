"""The free-energy bound, its minimum, and mixing functions."""

from .bound import free_energy_bound as free_energy_bound
from .bound import real_space_energy as real_space_energy
from .equation_of_state import EquationOfState as EquationOfState
from .equation_of_state import equation_of_state as equation_of_state
from .equation_of_state import pressure as pressure
from .minimum_rule import density_minimum_rule as density_minimum_rule
from .mixing import mixing as mixing
from .search import ScanThenNewton as ScanThenNewton
from .variational import ContactConstraint as ContactConstraint
from .variational import HardSpheres as HardSpheres
from .variational import Unconstrained as Unconstrained
from .variational import VariationalState as VariationalState
from .variational import minimise as minimise
