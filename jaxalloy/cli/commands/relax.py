"""`jaxalloy relax`: free relaxation of the order parameter (EM Eq. 9), or EM Fig. 1."""

import argparse
import pathlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from jaxalloy.cli import exit_codes
from jaxalloy.cli.clock import Clock
from jaxalloy.cli.options import add_output_options
from jaxalloy.cli.report import Report
from jaxalloy.cli.states import read_states
from jaxalloy.numerics.checks import InputError, NoResultError, require_positive

PER_STATE = ("coupling", "inversion", "polarisation", "dephasing", "detuning")
OPTIONAL = ("pairs", "population_time")
FIGURE_1 = {1: (1.0, 10.0), 2: (1.0, 1.0), 3: (20.0, 10.0)}
"""x = Delta sqrt(sigma0)/gamma and Gamma/gamma of the three curves, read from EM's text."""
SEEDS = (1e-12, 1e-4)
LEVELS = (0.1, 0.5, 0.9)


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy relax`."""
    parser = subparsers.add_parser(
        "relax",
        help="relax the chemical order of an amorphous alloy",
        description="Integrate the free relaxation of the order parameter by inverted electron states (EM Eq. 9), "
        "tell its regime, arrival times and conserved quantities, and draw it. Rates in any one unit, times in its "
        "inverse.",
    )
    parser.add_argument("--coupling", type=float, metavar="D", help="Delta(q), a rate")
    parser.add_argument("--inversion", type=float, metavar="S", help="sigma at the start, sum over pairs")
    parser.add_argument("--polarisation", type=float, metavar="P", help="d at the start, the seed; not zero")
    parser.add_argument("--dephasing", type=float, metavar="G", help="Gamma, decay rate of the polarisation")
    parser.add_argument("--detuning", type=float, metavar="O", help="off resonance, a rate (0)")
    parser.add_argument("--population-time", type=float, metavar="T", help="t_sigma; inf: the inversion stays")
    parser.add_argument(
        "--pairs", type=float, metavar="N", help="electron pairs behind each state; checks |sigma| <= N"
    )
    parser.add_argument(
        "--states",
        type=pathlib.Path,
        metavar="CSV",
        help=f"one row per state: {', '.join(PER_STATE)}[, {', '.join(OPTIONAL)}]",
    )
    parser.add_argument("--until", type=float, metavar="T", help="last time (12 with --figure)")
    parser.add_argument("--points", type=int, default=601, metavar="N", help="times, even from 0 (601)")
    parser.add_argument("--rtol", type=float, metavar="R", help="relative tolerance of a step (1e-11)")
    parser.add_argument("--solver", choices=("auto", "dopri8", "kvaerno5"), default="auto", help="integrator (auto)")
    parser.add_argument("--max-steps", type=int, default=200_000, metavar="N", help="steps before giving up (200000)")
    parser.add_argument("--figure", type=int, choices=(1,), help="EM Fig. 1 instead of a system of your own")
    add_output_options(parser)
    return parser


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Relax, print, draw, write."""
    require_positive("--until", 12.0 if arguments.until is None else arguments.until)
    if arguments.points < 2:
        raise InputError(f"--points {arguments.points}: at least 2 are needed")
    _require_options(arguments)
    report.use_folder(arguments.output)
    from jaxalloy.cli import device

    device.start(arguments.device, report, once=True)
    clock = Clock()
    times = np.linspace(0.0, 12.0 if arguments.until is None else arguments.until, arguments.points)
    if arguments.figure:
        draw_figure1(arguments, report, times)
    else:
        relax_one(arguments, report, times)
    clock.lap("relaxation")
    report.line("time: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in clock.laps.items()))
    report.record(time_s=clock.laps)
    report.finish()
    return exit_codes.DONE


def _require_options(arguments: argparse.Namespace) -> None:
    """Which options go together."""
    own = {name: getattr(arguments, name) for name in (*PER_STATE, "population_time", "pairs", "states")}
    given = [f"--{name.replace('_', '-')}" for name, value in own.items() if value is not None]
    if arguments.figure:
        if given:
            raise InputError(f"--figure 1 has its own parameters: leave {', '.join(given)} away")
        return
    needed: dict[str, Any] = {"until": arguments.until}
    if arguments.states is None:
        needed |= {name: own[name] for name in (*PER_STATE, "population_time") if name != "detuning"}
    elif clash := [option for option in given if option[2:] in (*PER_STATE, "pairs")]:
        raise InputError(f"--states holds every state's numbers: leave {', '.join(clash)} away")
    missing = [f"--{name.replace('_', '-')}" for name, value in needed.items() if value is None]
    if missing:
        raise InputError(f"{', '.join(missing)} missing: give it, a file of --states, or --figure 1")


def read_system(arguments: argparse.Namespace):
    """The system that the options or the file describe."""
    from jaxalloy.kinetics import FreeRelaxation

    if arguments.states is None:
        values = {name: getattr(arguments, name) for name in (*PER_STATE, "pairs")}
        values["detuning"] = values["detuning"] or 0.0
    else:
        values = read_states(arguments.states, PER_STATE, OPTIONAL)
        if (arguments.population_time is None) == ("population_time" not in values):
            raise InputError(f"{arguments.states}: give either a column population_time or --population-time")
    return FreeRelaxation(**{"population_time": arguments.population_time, **values})


def relax_one(arguments: argparse.Namespace, report: Report, times: np.ndarray) -> None:
    """One system of the user's."""
    import jax

    from jaxalloy.kinetics import Adaptive, critical_gain, relax
    from jaxalloy.kinetics.equations import require_seed

    system = read_system(arguments)
    require_seed(system)
    method = Adaptive(arguments.rtol, solver=arguments.solver, max_steps=arguments.max_steps)
    approximate, reason = exponential_of(system)
    with ThreadPoolExecutor() as pool:  # compiling is most of the time
        closed_run = None if approximate is None else pool.submit(relax, approximate, times)
        critical_run = (
            None
            if approximate is None
            else pool.submit(jax.jit(critical_gain), approximate.dephasing / approximate.decay)
        )
        relaxation = relax(system, times, method)
        closed = None if closed_run is None else closed_run.result()
        critical = None if critical_run is None else float(critical_run.result())
    say_regime(report, approximate, critical, reason, closed)
    say_relaxation(report, system, relaxation)
    write_one(arguments, report, relaxation, closed)
    report.record(converged=bool(relaxation.converged), status=outcome_text(relaxation))
    if not bool(relaxation.converged):
        report.finish()
        reached = int(np.asarray(relaxation.reached).sum())
        last = float(relaxation.times[max(reached - 1, 0)])
        raise NoResultError(f"relaxation: reached t = {last:.4g} only; {outcome_text(relaxation)}")


def outcome_text(relaxation) -> str:
    """How the integration ended, in words; empty where it succeeded."""
    from jaxalloy.kinetics import Outcome

    return str(Outcome[relaxation.result])  # type: ignore[misc]  # an equinox enumeration


def exponential_of(system) -> tuple[Any, str]:
    """The system of EM Eqs. 10-13 with the same rates, or why EM Eq. 12 has no say."""
    from jaxalloy.kinetics import ExponentialRelaxation
    from jaxalloy.kinetics.equations import common_rates

    if not common_rates(system):
        return None, "the rates differ between the states"
    coupling, dephasing, detuning, population_time = (
        float(np.ravel(np.asarray(value))[0])
        for value in (system.coupling, system.dephasing, system.detuning, system.population_time)
    )
    states = np.broadcast_shapes(*(np.shape(v) for v in (system.inversion, system.polarisation, system.coupling)))
    inversion = float(np.sum(np.broadcast_to(system.inversion, states)))
    polarisation = float(np.sum(np.broadcast_to(np.real(system.polarisation), states)))
    for holds, why in (
        (np.isfinite(population_time), "the inversion does not decay (t_sigma = inf)"),
        (dephasing > 0, "there is no dephasing"),
        (detuning == 0, "the states are off resonance"),
        (inversion > 0, "there is no inversion to feed on"),
        (coupling * polarisation != 0, "the coupling or the sum of the seeds is zero"),
    ):
        if not holds:
            return None, why
    return ExponentialRelaxation(coupling, inversion, polarisation, dephasing, 1.0 / population_time), ""


def say_regime(report: Report, approximate, critical: float | None, reason: str, closed) -> None:
    """S-shaped or not by EM Eq. 12, and whether that equation may be trusted here."""
    if approximate is None or critical is None:
        report.line(f"regime of EM Eq. 12: none, {reason}")
        report.record(regime=None, regime_reason=reason)
        return
    nu = float(approximate.dephasing / approximate.decay)
    gain = float(approximate.coupling**2 * approximate.inversion / approximate.decay**2)
    regime = "S-shaped" if gain > critical else "concave"
    report.table(
        f"regime of EM Eq. 12: {regime}",
        [
            ("x0", f"{gain:.6g}", "Delta^2 sigma0 t_sigma^2"),
            ("x0c", f"{critical:.6g}", f"S-shaped above it, at Gamma t_sigma = {nu:g}"),
        ],
    )
    report.record(regime=regime, x0=gain, x0_critical=critical, nu=nu, closed_form_warning=closed.warning)
    if closed.warning:
        report.warn(f"EM Eq. 12 does not describe this relaxation: {closed.warning}")


def say_relaxation(report: Report, system, relaxation) -> None:
    """Arrival times, limit, conserved quantities and the cost."""
    from jaxalloy.kinetics import arrival_times

    arrival = arrival_times(relaxation, LEVELS)
    settled = bool(arrival.settled)
    names = [f"t{round(100 * level)}" for level in LEVELS]
    found = {
        name: float(time) if settled and ok else None
        for name, time, ok in zip(names, np.asarray(arrival.times), np.asarray(arrival.found), strict=True)
    }
    top = float(np.max(relaxation.eta))
    if settled:
        rows = [(name, "-" if time is None else f"{time:.5g}", "") for name, time in found.items()]
    else:
        rows = [(", ".join(names), "-", f"none: {why_unsettled(relaxation, top)}")]
    rows.append(("|b| at the end", f"{float(np.abs(relaxation.field[-1])):.6g}", ""))
    rows.append(("N at the end", f"{float(relaxation.quanta[-1]):.6g}", "|b|^2"))
    drift, conserved, scale = conserved_quantities(system, relaxation)
    for name, value in drift.items():
        remark = "conserved here" if conserved[name] else "not conserved: there are losses"
        rows.append((f"drift, {name}", f"{value:.1e}", f"of {scale[name]:.4g}; {remark}"))
    rows.append(("solver", relaxation.solver, f"{int(relaxation.steps)} steps"))
    report.table("relaxation by EM Eq. 9", rows)
    report.record(
        **found,
        settled=settled,
        eta_largest=top,
        field_end=float(np.abs(relaxation.field[-1])),
        drift=drift,
        conserved=conserved,
        solver=relaxation.solver,
        steps=int(relaxation.steps),
    )


def why_unsettled(relaxation, top: float) -> str:
    """Why eta has no arrival times."""
    if not bool(relaxation.converged):
        return "the integration did not reach the end"
    if top > 1.0 + 1e-3:
        return f"eta overshoots its end value (it reaches {top:.4g} of it)"
    return "eta still changes at the end; raise --until"


def conserved_quantities(system, relaxation) -> tuple[dict[str, float], dict[str, bool], dict[str, float]]:
    """Largest change of each invariant, whether this system conserves it, and its size."""
    invariants = relaxation.invariants
    drift = {name: float(value) for name, value in invariants.drift.items()}
    stays = bool(np.all(np.isinf(system.population_time)))
    lossless = stays and bool(np.all(np.asarray(system.dephasing) == 0))
    conserved = {"excitations": stays, "bloch": lossless, "energy": lossless}
    size = {
        "excitations": float(np.max(np.abs(invariants.excitations))),
        "bloch": float(np.max(np.abs(invariants.bloch))),
        "energy": float(np.max(np.abs(invariants.energy))),
    }
    return drift, conserved, size


def write_one(arguments: argparse.Namespace, report: Report, relaxation, closed) -> None:
    """The netCDF file, and the figure drawn from it."""
    from jaxalloy.dataset_relaxation import relaxation_dataset

    dataset = relaxation_dataset(relaxation, closed)
    report.write(arguments.output / "relaxation.nc", lambda path: dataset.to_netcdf(path, engine="h5netcdf"))
    if not arguments.no_plot:
        from jaxalloy import plot_relaxation

        figure = plot_relaxation.relaxation(dataset)
        report.write(arguments.output / "relaxation.png", lambda path: figure.savefig(path, dpi=150))


def draw_figure1(arguments: argparse.Namespace, report: Report, times: np.ndarray) -> None:
    """The three curves of EM Fig. 1 by Eq. 12, and by Eq. 9 with two seeds."""
    import jax

    from jaxalloy.dataset_relaxation import figure1_dataset
    from jaxalloy.kinetics import Adaptive, ExponentialRelaxation, FreeRelaxation, arrival_times, critical_gain, relax

    method = Adaptive(arguments.rtol, solver=arguments.solver, max_steps=arguments.max_steps)
    systems = [ExponentialRelaxation(1.0, x**2, SEEDS[0], dephasing, 1.0) for x, dephasing in FIGURE_1.values()]
    with ThreadPoolExecutor() as pool:
        compiled = jax.jit(critical_gain)
        critical_run = pool.submit(lambda: [float(compiled(system.dephasing)) for system in systems])
        closed_run = pool.submit(lambda: [relax(system, times) for system in systems])
        full = [
            [relax(FreeRelaxation(1.0, x**2, seed, dephasing, 1.0), times, method) for seed in SEEDS]
            for x, dephasing in FIGURE_1.values()
        ]
        closed, critical = closed_run.result(), critical_run.result()
    curves = []
    for number, (system, solution, runs, gain) in enumerate(zip(systems, closed, full, critical, strict=True), 1):
        t10, t50, t90 = (float(time) for time in arrival_times(solution, LEVELS).times)
        regime = "S-shaped" if float(system.inversion) > gain else "concave"
        apart = [float(np.max(np.abs(run.eta - solution.eta))) for run in runs]
        report.table(
            f"curve {number}: x = {float(np.sqrt(system.inversion)):g}, Gamma = {float(system.dephasing):g}, {regime}",
            [
                ("t10, t50, t90", f"{t10:.4g}, {t50:.4g}, {t90:.4g}", "1/gamma, EM Eq. 12"),
                ("x0c", f"{gain:.4g}", f"S-shaped above it; x0 = {float(system.inversion):g}"),
                *[
                    (f"Eq. 9, d0 = {seed:g}", f"{away:.1e}", "largest difference of eta")
                    for seed, away in zip(SEEDS, apart, strict=True)
                ],
            ],
        )
        for seed, run in zip(SEEDS, runs, strict=True):
            if not bool(run.converged):
                raise NoResultError(f"curve {number} with d0 = {seed:g}: {outcome_text(run)}")
        differences = dict(zip(map(str, SEEDS), apart, strict=True))
        curves.append(
            {"regime": regime, "t10": t10, "t50": t50, "t90": t90, "x0_critical": gain, "difference": differences}
        )
    report.record(curves=curves)
    dataset = figure1_dataset(systems, closed, full, list(SEEDS))
    report.write(arguments.output / "figure1.nc", lambda path: dataset.to_netcdf(path, engine="h5netcdf"))
    if not arguments.no_plot:
        from jaxalloy import plot_relaxation

        figure = plot_relaxation.figure1(dataset)
        report.write(arguments.output / "figure1.png", lambda path: figure.savefig(path, dpi=150))
