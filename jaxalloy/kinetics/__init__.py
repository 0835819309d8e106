"""Structural relaxation driven by electrons (EM): kinetic systems, integration, closed forms, observables."""

from .bosonic import BosonicRelaxation as BosonicRelaxation
from .closed_forms import critical_gain as critical_gain
from .closed_forms import lossless_field as lossless_field
from .closed_forms import off_resonance_modulus as off_resonance_modulus
from .closed_forms import weak_gain_field as weak_gain_field
from .equations import DrivenRelaxation as DrivenRelaxation
from .equations import ExponentialRelaxation as ExponentialRelaxation
from .equations import FreeRelaxation as FreeRelaxation
from .excitations import dce_spectrum as dce_spectrum
from .excitations import displacement_bound as displacement_bound
from .excitations import lattice_energy as lattice_energy
from .excitations import read_xyz as read_xyz
from .observables import arrival_times as arrival_times
from .observables import relaxation_parameter as relaxation_parameter
from .observables import relaxed_observable as relaxed_observable
from .relax import Adaptive as Adaptive
from .relax import relax as relax
from .relax_many import relax_many as relax_many
from .stationary import driven_order as driven_order
from .stationary import stability as stability
from .stationary import stationary as stationary
from .stationary import threshold as threshold
from .taylor import Taylor as Taylor
from .trajectory import Outcome as Outcome
from .trajectory import Relaxation as Relaxation
