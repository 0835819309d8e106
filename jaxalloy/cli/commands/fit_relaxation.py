"""`jaxalloy fit-relaxation`: laws of relaxation fitted to annealing curves and compared."""

import argparse
import dataclasses
import functools
import pathlib

from jaxalloy.cli import exit_codes
from jaxalloy.cli.clock import Clock
from jaxalloy.cli.options import add_output_options
from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError, NoResultError, require_positive

DEFAULT = "em12,em9,kww,age,tnm,exponential,constant"


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy fit-relaxation`."""
    parser = subparsers.add_parser(
        "fit-relaxation",
        help="fit annealing curves",
        description="Fit laws of relaxation to a property that follows the order, with errors, what cannot be told, "
        "and information criteria; rates at several temperatures give Arrhenius laws.",
    )
    parser.add_argument(
        "files",
        type=pathlib.Path,
        nargs="+",
        metavar="CSV",
        help="columns time (unit), value (unit)[, error][, temperature]",
    )
    parser.add_argument(
        "--model",
        default=DEFAULT,
        metavar="NAMES",
        help=f"comma between: em12, em9, kww, age, age-normal, tnm, exponential, constant ({DEFAULT})",
    )
    parser.add_argument(
        "--follows", choices=("eta", "eta2"), default="eta", help="what the property goes with, in em12 and em9 (eta)"
    )
    parser.add_argument("--start", type=float, metavar="V", help="value at time 0, where it is known (fitted)")
    parser.add_argument("--change", type=float, metavar="V", help="whole change, where it is known (fitted)")
    parser.add_argument(
        "--temperature", type=float, nargs="+", metavar="K", help="one for each file, where no column says it"
    )
    parser.add_argument(
        "--attempt-frequency", type=float, default=1e13, metavar="F", help="1/s, behind energies of a spectrum (1e13)"
    )
    add_output_options(parser)
    return parser


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Fit, print, draw, write."""
    from jaxalloy.fitting.relaxation import Scale, arrhenius_laws, compare, relaxation_model

    clock = Clock()
    require_positive("--attempt-frequency (1/s)", arguments.attempt_frequency)
    names = [name.strip() for name in arguments.model.split(",") if name.strip()]
    if not names:
        raise InputError("--model: name at least one law")
    power = 2 if arguments.follows == "eta2" else 1
    for name in names:
        relaxation_model(name, power)
    curves = read_curves(arguments)
    report.use_folder(arguments.output)
    from jaxalloy.cli import device

    device.start(arguments.device, report)
    comparisons = []
    for curve in curves:
        comparisons.append(compare(curve, names, Scale(arguments.start, arguments.change), power))
        say_curve(report, arguments, comparisons[-1])
    report.record(curves=[as_json(comparison) for comparison in comparisons])
    laws = arrhenius_laws(comparisons) if len({c.temperature for c in curves if c.temperature is not None}) > 1 else {}
    say_arrhenius(report, laws, curves[0].time_unit)
    write_files(arguments, report, comparisons)
    clock.lap("fits")
    report.line("time: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in clock.laps.items()))
    report.record(time_s=clock.laps)
    report.finish()
    lost = [f"{c.preferred} of {c.curve.source}" for c in comparisons if not c.fits[c.preferred].converged]
    if lost:
        raise NoResultError(f"the fit of {', '.join(lost)} did not converge; leave the richest laws away with --model")
    return exit_codes.DONE


def read_curves(arguments: argparse.Namespace) -> list:
    """The curves of all files, with the temperatures of --temperature."""
    from jaxalloy.fitting.relaxation import read_annealing_curves

    given = arguments.temperature
    if given is not None and len(given) != len(arguments.files):
        raise InputError(f"--temperature: {len(given)} for {len(arguments.files)} files; give one for each file")
    curves = []
    for index, path in enumerate(arguments.files):
        found = read_annealing_curves(path)
        if given is not None:
            if found[0].temperature is not None:
                raise InputError(f"{path} has a temperature column: leave --temperature away")
            found = [dataclasses.replace(found[0], temperature=given[index])]
        curves += found
    return curves


def say_curve(report: Report, arguments: argparse.Namespace, comparison) -> None:
    """The laws of one curve, best first."""
    from jaxalloy.dataset_relaxation import unit_of
    from jaxalloy.fitting.relaxation import activation_energies

    curve = comparison.curve
    unit = in_unit(curve.value_unit)
    points, effective = len(curve.times), comparison.effective_points
    where = "" if curve.temperature is None else f", {curve.temperature:g} K"
    report.line()
    report.line(f"{curve.source}{where}: {points} points, worth {effective:.0f} independent ones")
    criteria = (comparison.aicc, comparison.aic, comparison.bic)
    for name in sorted(comparison.fits, key=lambda name: comparison.aicc[name]):
        fit = comparison.fits[name]
        rows = []
        for key, value in fit.values.items():
            remark = ", not determined" if key in fit.undetermined else ""
            if key in fit.at_bound:
                remark += ", at the bound of what is considered"
            known = {"start": arguments.start, "change": arguments.change}.get(key)
            error = "given" if known is not None else f"± {fit.errors[key]:.2g}"
            rows.append((key, f"{value:.6g}", f"{error}{in_unit(unit_of(key, fit))}{remark}"))
        if fit.model.parameters:
            rows.append(("relaxed", f"{fit.relaxed:.4g}", f"± {fit.relaxed_error:.2g}{unit} over the data"))
        energies = activation_energies(fit, arguments.attempt_frequency)
        if energies is not None:
            remark = f"eV, for {arguments.attempt_frequency:g}/s; width {energies['width_eV']:.3g} eV"
            rows.append(("energy", f"{energies['energy_eV']:.4g}", remark))
        above = [criterion[name] - min(criterion.values()) for criterion in criteria]
        rows.append(("AICc, AIC, BIC", ", ".join(f"+{value:.1f}" for value in above), "above the least"))
        if fit.model.shape_only:
            rows.append(("cannot tell", "", fit.model.shape_only))
        state = "" if fit.converged else " (not converged)"
        report.table(f"{name}: {fit.model.title}{state}", rows)
    report.line(f"verdict: {comparison.verdict}")


def in_unit(unit: str) -> str:
    """The unit after a number; nothing for a pure number."""
    return "" if unit == "1" else f" {unit}"


def say_arrhenius(report: Report, laws: dict, time_unit: str) -> None:
    """Arrhenius' laws, where there are several temperatures."""
    for name, law in laws.items():
        report.table(
            f"Arrhenius law of the rate of {name}",
            [
                ("E", f"{law.energy:.4g}", f"± {law.energy_error:.2g} eV"),
                ("ln k0", f"{law.log_prefactor:.4g}", f"± {law.log_prefactor_error:.2g}, k0 in 1/{time_unit}"),
                ("chi^2", f"{law.chi_squared:.3g}", f"{law.degrees} degrees of freedom"),
            ],
        )
    report.record(arrhenius={name: dataclasses.asdict(law) for name, law in laws.items()})


def as_json(comparison) -> dict:
    """One curve for a machine."""
    curve = comparison.curve
    return {
        "source": curve.source,
        "temperature_K": curve.temperature,
        "points": len(curve.times),
        "effective_points": comparison.effective_points,
        "time_unit": curve.time_unit,
        "value_unit": curve.value_unit,
        "preferred": comparison.preferred,
        "indistinguishable": comparison.indistinguishable,
        "detected": comparison.detected,
        "verdict": comparison.verdict,
        "models": {
            name: {
                "values": fit.values,
                "errors": fit.errors,
                "undetermined": list(fit.undetermined),
                "at_bound": list(fit.at_bound),
                "cannot_tell": fit.model.shape_only,
                "relaxed": fit.relaxed,
                "relaxed_error": fit.relaxed_error,
                "aic": comparison.aic[name],
                "aicc": comparison.aicc[name],
                "bic": comparison.bic[name],
                "weight": comparison.weights[name],
                "converged": fit.converged,
            }
            for name, fit in comparison.fits.items()
        },
    }


def write_files(arguments: argparse.Namespace, report: Report, comparisons: list) -> None:
    """A netCDF file for each curve, and one figure of all."""
    from jaxalloy.dataset_relaxation import annealing_dataset

    datasets = [annealing_dataset(comparison) for comparison in comparisons]
    stem = arguments.files[0].stem
    for index, dataset in enumerate(datasets):
        name = f"{stem}-fit.nc" if len(datasets) == 1 else f"{stem}-fit-{index + 1}.nc"
        report.write(arguments.output / name, functools.partial(dataset.to_netcdf, engine="h5netcdf"))
    if not arguments.no_plot:
        from jaxalloy import plot_relaxation

        figure = plot_relaxation.annealing(datasets)
        report.write(arguments.output / f"{stem}-fit.png", lambda path: figure.savefig(path, dpi=150))
