"""`jaxalloy stationary`: threshold, stationary condensate and stability of a driven relaxation (EM Eqs. 15-17)."""

import argparse
import pathlib

import numpy as np

from jaxalloy.cli import exit_codes
from jaxalloy.cli.options import add_output_options
from jaxalloy.cli.report import Report
from jaxalloy.cli.states import read_states
from jaxalloy.numerics.checks import InputError, NoResultError

PER_STATE = ("coupling", "pump", "dephasing", "detuning")


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy stationary`."""
    parser = subparsers.add_parser(
        "stationary",
        help="stationary condensate of a driven alloy",
        description="Threshold (EM Eq. 16), excitations in the condensate (EM Eq. 17) and linear stability of a "
        "relaxation driven by a pumped inversion. Rates in any one unit.",
    )
    parser.add_argument("--coupling", type=float, metavar="D", help="Delta(q'), a rate")
    parser.add_argument("--pump", type=float, metavar="S", help="sigma^p, the inversion that the pump sustains")
    parser.add_argument("--dephasing", type=float, metavar="G", help="Gamma, decay rate of the polarisation")
    parser.add_argument("--detuning", type=float, metavar="O", help="off resonance, a rate (0)")
    parser.add_argument("--states", type=pathlib.Path, metavar="CSV", help=f"one row per state: {', '.join(PER_STATE)}")
    parser.add_argument("--population-time", type=float, required=True, metavar="T", help="t_sigma")
    parser.add_argument("--field-damping", type=float, required=True, metavar="K", help="kappa, of the excitations")
    parser.add_argument(
        "--commutator", type=float, default=1.0, metavar="A", help="alpha = [b, b+], in EM 1-2c+eta^2/2"
    )
    add_output_options(parser)
    return parser


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Find the stationary state, print, draw, write."""
    values = _values(arguments)
    report.use_folder(arguments.output)
    from jaxalloy.cli import device

    device.start(arguments.device, report, once=True)
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from jaxalloy.kinetics import DrivenRelaxation, stability, stationary, threshold
    from jaxalloy.kinetics.equations import common_rates

    system = DrivenRelaxation(
        inversion=values["pump"],
        polarisation=0.0,
        population_time=arguments.population_time,
        field_damping=arguments.field_damping,
        commutator=arguments.commutator,
        **values,
    )
    limit = threshold(system)
    if not bool(limit.exists):
        raise NoResultError("threshold: no positive multiple of this pump reaches it; change the sign of the pump")
    state, linear = stationary(system), stability(system)
    if not common_rates(system) or bool(np.any(np.asarray(system.detuning) != 0)):
        linear = eqx.tree_at(lambda s: s.boundary, linear, jnp.full_like(linear.boundary, jnp.inf))  # has no meaning
    boundary = float(linear.boundary)
    far = max(3.0, 1.5 * float(limit.ratio), 1.2 * boundary if np.isfinite(boundary) else 0.0)
    scales = jnp.linspace(0.0, far, 61)[1:]

    def quanta_of(ratio):
        return stationary(eqx.tree_at(lambda s: s.pump, system, system.pump * ratio / limit.ratio)).quanta

    quanta = jax.vmap(quanta_of)(scales)
    say(report, limit, state, linear)
    write_files(arguments, report, (limit, state, linear, scales, quanta))
    if float(state.residual) > 1e-8:
        report.finish()
        raise NoResultError(f"stationary state: residual {float(state.residual):.1e}; the pump may have two branches")
    report.finish()
    return exit_codes.DONE


def _values(arguments: argparse.Namespace) -> dict:
    """The numbers of every state, from the options or the file."""
    own = {name: getattr(arguments, name) for name in PER_STATE}
    given = [f"--{name}" for name, value in own.items() if value is not None]
    if arguments.states is not None:
        if given:
            raise InputError(f"--states holds every state's numbers: leave {', '.join(given)} away")
        return read_states(arguments.states, PER_STATE, ())
    missing = [f"--{name}" for name, value in own.items() if value is None and name != "detuning"]
    if missing:
        raise InputError(f"{', '.join(missing)} missing: give it, or a file of --states")
    return own | {"detuning": own["detuning"] or 0.0}


def say(report: Report, limit, state, linear) -> None:
    """The table of results."""
    growth, boundary, ratio = float(linear.growth_rate), float(linear.boundary), float(limit.ratio)
    above, stable = bool(state.above), bool(linear.stable)
    name = "condensate" if above else "no condensate: below threshold"
    report.table(
        f"{name}, {'stable' if stable else 'unstable'}",
        [
            ("threshold", f"{float(limit.inversion):.6g}", "sum of sigma_th over the states, EM Eq. 16"),
            ("pump/threshold", f"{ratio:.6g}", "r"),
            ("N", f"{float(state.quanta):.6g}", "excitations in the condensate, EM Eq. 17"),
            ("frequency", f"{float(state.frequency):.6g}", "against omega_q'"),
            ("growth rate", f"{growth:.6g}", "largest real part about this state"),
            ("slowest time", "-" if growth >= 0 else f"{-1 / growth:.6g}", "diverges at the threshold"),
            (
                "unstable from",
                "-" if not np.isfinite(boundary) else f"{boundary:.6g}",
                "r, for common rates at resonance",
            ),
        ],
    )
    report.record(
        threshold=float(limit.inversion),
        threshold_per_state=np.asarray(limit.per_state).tolist(),
        ratio=ratio,
        quanta=float(state.quanta),
        frequency=float(state.frequency),
        above=above,
        stable=stable,
        growth_rate=growth,
        slowest_time=-1 / growth if growth < 0 else None,
        boundary=boundary,
        residual=float(state.residual),
    )


def write_files(arguments: argparse.Namespace, report: Report, found: tuple) -> None:
    """The netCDF file, and the figure drawn from it."""
    from jaxalloy.dataset_relaxation import stationary_dataset

    dataset = stationary_dataset(*found)
    report.write(arguments.output / "stationary.nc", lambda path: dataset.to_netcdf(path, engine="h5netcdf"))
    if not arguments.no_plot:
        from jaxalloy import plot_relaxation

        figure = plot_relaxation.stationary(dataset)
        report.write(arguments.output / "stationary.png", lambda path: figure.savefig(path, dpi=150))
