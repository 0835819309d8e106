"""From partial structure factors to what a diffractometer measures."""

from .partials import Partials as Partials
from .probes import Neutrons as Neutrons
from .probes import Probe as Probe
from .probes import XRays as XRays
from .probes import form_factor as form_factor
from .probes import partials_of as partials_of
from .probes import structure_factor as structure_factor
