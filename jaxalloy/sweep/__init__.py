"""Maps over states at scale: describe one in a file, run it anywhere, stop it, resume it, open it in xarray.

from jaxalloy import sweep

summary = sweep.run(sweep.Configuration.read("lipb.toml"), "lipb.zarr")
dataset = xarray.open_zarr("lipb.zarr")
"""

from .configuration import Configuration as Configuration
from .differentiable import map_states as map_states
from .forecast import Forecast as Forecast
from .forecast import forecast as forecast
from .plan import Plan as Plan
from .plan import make_plan as make_plan
from .run import Summary as Summary
from .run import run as run
from .work import Progress as Progress
