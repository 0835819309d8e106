"""Annealing data: laws of relaxation fitted to eta(t) or a property that follows it, and compared."""

from .arrhenius import ArrheniusLaw as ArrheniusLaw
from .arrhenius import activation_energies as activation_energies
from .arrhenius import arrhenius as arrhenius
from .arrhenius import arrhenius_laws as arrhenius_laws
from .compare import Comparison as Comparison
from .compare import compare as compare
from .compare import relaxation_model as relaxation_model
from .curve import AnnealingCurve as AnnealingCurve
from .curve import read_annealing_curves as read_annealing_curves
from .fit import ModelFit as ModelFit
from .fit import Scale as Scale
from .fit import fit_model as fit_model
from .models import RelaxationModel as RelaxationModel
