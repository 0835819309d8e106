"""`jaxalloy fit`: from measured structure factors to parameters with error bars."""

import argparse
import math
from typing import Any

from jaxalloy.cli import exit_codes
from jaxalloy.cli.options import add_output_options, assignment
from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError

MRY = {"epsilon": 1e-3}
"""Units of the command line in those of the library, where they differ."""


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy fit`."""
    parser = subparsers.add_parser(
        "fit",
        help="fit a measured structure factor",
        description="Alloy parameters from measured structure factors, with errors and what the data do not determine. "
        "Lengths in bohr, kappa in 1/bohr, epsilon in mRy. An option that starts with N: holds for the N-th file only, "
        "as in --probe 2:xray or --isotope 2:Li=6.",
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="columns q, S[, dS[, dq]] or named ones; several are fitted together")
    add("--alloy", metavar="A0.8B0.2", help="the alloy (or a line '# composition: ...' in the file)")
    add("--temperature", action="append", default=[], metavar="[N:]K", help="temperature in kelvin")
    density = parser.add_mutually_exclusive_group()
    density.add_argument("--volume", type=float, metavar="V", help="bohr^3 per atom (from tables if not given)")
    density.add_argument("--density", type=float, metavar="D", help="mass density in g/cm^3, instead of a volume")
    add("--probe", action="append", default=[], metavar="[N:]neutron|xray", help="what it was measured with")
    add("--isotope", action="append", default=[], metavar="[N:]Li=7", help="an isotope's neutron length")
    add("--scattering-length", action="append", default=[], metavar="[N:]Li=-2.22", help="a neutron length in fm")
    add("--quantity", metavar="S|S_FZ|S_AL|S_BT|F(q)", help="what the file holds, if it does not say so itself")
    add("--unit", metavar="1/angstrom|1/nm|1/bohr", help="unit of q, if the file does not name it")
    add("--q-range", metavar="MIN:MAX", help="fit this range of q only, in 1/angstrom")
    add(
        "--free", action="append", metavar="NAME[,NAME]", help="all parameters to fit (sigma,epsilon,kappa,scale,level)"
    )
    add("--fix", type=assignment, action="append", default=[], metavar="NAME=VALUE", help="hold a parameter")
    add("--bounds", type=assignment, action="append", default=[], metavar="NAME=MIN:MAX", help="keep it in this range")
    add("--start", type=assignment, action="append", default=[], metavar="NAME=VALUE", help="start the search here")
    add("--softness", action="store_true", help="fit a damping exp(-(b q)^2) for a core softer than hard spheres")
    add("--profile", action="append", default=[], metavar="NAME", help="interval from the profile likelihood")
    add("--posterior", action="store_true", help="sample the posterior by NUTS (needs jaxalloy[posterior])")
    add("--full", action="store_true", help="fit every point even of very long files, instead of averages over bins")
    add_output_options(parser)
    return parser


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Read, fit, print, draw, write."""
    report.use_folder(arguments.output)
    from jaxalloy.cli import device

    device.start(arguments.device, report, once=not arguments.posterior)
    from jaxalloy.fitting.fit import fit_structure_factor
    from jaxalloy.fitting.model import ReferenceModel

    data, alloy = read_data(arguments)
    say_data(report, data, alloy)
    fix = {name: _number(f"--fix {name}", value) * MRY.get(name, 1.0) for name, value in arguments.fix}
    start = {name: _number(f"--start {name}", value) * MRY.get(name, 1.0) for name, value in arguments.start}
    bounds = {name: _interval(f"--bounds {name}", value, MRY.get(name, 1.0)) for name, value in arguments.bounds}
    model = ReferenceModel(alloy)
    free = None
    if arguments.free or arguments.softness:
        from jaxalloy.fitting.problem import default_free

        named = [name for text in arguments.free or [] for name in text.split(",") if name]
        free = (named or default_free(data, model)) + (["softness"] if arguments.softness else [])
    result = fit_structure_factor(data, model, free, bounds, fix=fix, start=start, full=arguments.full)
    say_result(report, result)
    profiles = [result.profile(name) for name in arguments.profile or _profiles_needed(result)]
    say_profiles(report, profiles)
    if arguments.posterior:
        sample_posterior(arguments, report, result)
    write_files(arguments, report, result)
    report.finish()
    result.require_converged()
    return exit_codes.DONE


def read_data(arguments: argparse.Namespace):
    """The data sets and the alloy, from the files, their headers and the options."""

    from jaxalloy.constants import BOHR_IN_ANGSTROM
    from jaxalloy.fitting.sample import sample
    from jaxalloy.scattering.files import read_structure_factor

    count = len(arguments.files)
    data = [read_structure_factor(path, quantity=arguments.quantity, unit=arguments.unit) for path in arguments.files]
    headers = [dict(one.header) for one in data]
    formula = arguments.alloy or next((h["composition"] for h in headers if "composition" in h), None)
    if formula is None:
        raise InputError("which alloy? give --alloy Li0.8Pb0.2, or a line '# composition: Li0.8Pb0.2' in the file")
    temperatures = _for_each_file("--temperature", arguments.temperature, count)
    probes, isotopes, lengths = (
        _for_each_file(option, given, count)
        for option, given in (
            ("--probe", arguments.probe),
            ("--isotope", arguments.isotope),
            ("--scattering-length", arguments.scattering_length),
        )
    )
    alloys, seen = [], []
    for i, header in enumerate(headers):
        kelvin = temperatures[i][-1:] or [header[key] for key in ("temperature",) if key in header]
        if not kelvin:
            raise InputError(f"{data[i].name}: give --temperature, or a line '# temperature: 1000' in the file")
        volume, density = arguments.volume, arguments.density
        if volume is None and density is None and "number density" in header:
            volume = 1 / _number("number density (1/angstrom^3)", header["number density"]) / BOHR_IN_ANGSTROM**3
        alloys.append(sample(formula, _number("--temperature", kelvin[0].split()[0]), volume, density))
        probe = _probe(probes[i], isotopes[i], lengths[i], header, alloys[i].symbols, data[i])
        seen.append(probe)
    import dataclasses

    data = [dataclasses.replace(d, probe=p, alloy=a) for d, p, a in zip(data, seen, alloys, strict=True)]
    if all(not d.is_composite and len(d.names) == 3 and d.errors is None for d in data):
        # without errors the noise is estimated for each curve, and S_NN and S_CC fail for different reasons
        data = [d.bhatia_thornton(a).only("NN", "CC") for d, a in zip(data, alloys, strict=True)]
    if arguments.q_range:
        low, high = _interval("--q-range", arguments.q_range, BOHR_IN_ANGSTROM)
        data = [d.between(low, high) for d in data]
    return data, alloys[0]


def _probe(probes, isotopes, lengths, header, symbols, data):
    """The probe of one file; partials need none."""
    from jaxalloy.cli.options import isotope
    from jaxalloy.scattering import Neutrons, XRays

    name = (probes or [header.get("probe")])[-1]
    if not data.is_composite:
        return None
    if name is None:
        raise InputError(f"{data.name}: what was it measured with? --probe neutron or xray, or '# probe:' in the file")
    name = name.lower().rstrip("s").replace("-", "").replace(" ", "")
    if name not in ("neutron", "xray"):
        raise InputError(f"probe {name!r} of {data.name}: neutron or xray")
    try:
        mass_numbers = dict(isotope(text) for text in isotopes or header.get("isotope", "").split())
        fm = {key: _number("--scattering-length", value) for key, value in map(assignment, lengths)}
    except argparse.ArgumentTypeError as error:
        raise InputError(str(error)) from None
    for symbol in (*mass_numbers, *fm):
        if symbol not in symbols:
            raise InputError(f"--isotope or --scattering-length {symbol}: the alloy holds {' and '.join(symbols)} only")
    return XRays() if name == "xray" else Neutrons(mass_numbers, fm)


def _for_each_file(option: str, given: list[str], count: int) -> list[list[str]]:
    """The values of an option for each file: those without N: hold for all."""
    found: list[list[str]] = [[] for _ in range(count)]
    for text in given:
        number, colon, value = text.partition(":")
        if not (colon and number.isdigit()):
            for values in found:
                values.append(text)
        elif 1 <= int(number) <= count:
            found[int(number) - 1].append(value)
        else:
            raise InputError(f"{option} {text}: there are {count} files")
    return found


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{name} = {text}: it must be a finite number")
    return value


def _interval(name: str, text: str, unit: float) -> tuple[float, float]:
    low, colon, high = text.partition(":")
    if not colon:
        raise InputError(f"{name} = {text}: write a range as MIN:MAX")
    return unit * _number(name, low), unit * _number(name, high)


def say_data(report: Report, data, alloy) -> None:
    """What was read, and whether its normalisation can be right."""
    from jaxalloy.constants import BOHR_IN_ANGSTROM
    from jaxalloy.dataset import describe
    from jaxalloy.fitting.diagnostics import normalisation
    from jaxalloy.scattering.measured import KINDS

    A, B = alloy.symbols
    c = float(alloy.concentration)
    report.line(
        f"{A} {1 - c:.4g}, {B} {c:.4g}; {float(alloy.volume):.2f} bohr^3 per atom ({alloy.volume_source}), "
        f"{float(alloy.temperature):g} K"
    )
    records = []
    for one in data:
        check = normalisation(one, alloy)
        q = one.q / BOHR_IN_ANGSTROM
        known = "errors given" if one.errors is not None else "no errors"
        rows = [
            ("points", f"{one.q.size}", f"q = {float(q[0]):.3g} to {float(q[-1]):.3g} 1/angstrom; {known}"),
            ("quantity", "", f"{', '.join(one.names)}: {KINDS[one.kind]}"),
            ("probe", "", "none (partials)" if one.probe is None else describe(one.probe)),
            ("highest point", f"{check.peak / BOHR_IN_ANGSTROM:.3g}", "1/angstrom"),
            ("mean at large q", f"{check.large_q:.4f}", "1 if normalised"),
        ]
        if math.isfinite(check.density_ratio):
            rows.append(("small-R slope", f"{check.density_ratio:.2f}", "of that of the density; 1 if normalised"))
        report.table(one.name, rows)
        if one.is_composite and abs(check.large_q - 1) > 0.1:
            report.warn(
                f"{one.name}: S is {check.large_q:.3f} at large q, not 1; scale and level have to make up for it"
            )
        if math.isfinite(check.density_ratio) and not 0.6 < check.density_ratio < 1.4:
            report.warn(
                f"{one.name}: the small-R transform belongs to {check.density_ratio:.2f} times the density given"
            )
        records.append({"name": one.name, "points": one.q.size, "S_at_large_q": check.large_q, "peak": check.peak})
    report.record(
        alloy=f"{A}{1 - c:.6g}{B}{c:.6g}",
        temperature_K=float(alloy.temperature),
        volume_bohr3=float(alloy.volume),
        data=records,
    )


def say_result(report: Report, result) -> None:
    """The table of parameters, correlations, and the diagnostics."""
    rows = []
    for name, e in result.estimates.items():
        factor, unit = (1e3, e.unit.replace("Ry", "mRy")) if e.unit.startswith("Ry") else (1.0, e.unit)
        hit = "AT BOUND" if e.at_bound else ""
        verdict = "" if not (e.fitted or e.note) else "determined" if e.determined else "NOT determined"
        remark = ", ".join(part for part in (unit, hit, verdict, e.note) if part and part != "1")
        sd = f" ± {factor * e.sd:.2g}" if e.sd else ""
        rows.append((name, f"{factor * e.value:.5g}{sd}", remark))
    report.table("parameter | value ± standard deviation | bound hit? determined?", rows)
    report.line("correlations")
    for name, row in zip(result.correlated, result.correlation, strict=True):
        report.line(f"  {name:<13}" + " ".join(f"{x:6.2f}" for x in row))
    chance, score = result.correlation_of_residuals, result.score
    quality = [("rms of the residuals", f"{result.rms:.4g}", "first curve")]
    if result.chi2 is not None:
        quality.insert(0, ("chi^2/dof", f"{result.chi2:.1f}/{result.dof} = {result.chi2 / result.dof:.3f}", ""))
    quality.append(
        ("autocorrelation", f"{chance.lag_one:.2f}", f"of neighbours; {chance.time:.1f} points count as one")
    )
    if score is not None:
        quality.append(("soft-core test", f"{score.z:.1f}", "standard deviations; above 3 use --softness"))
    report.table(f"quality ({result.starts} starts, {result.steps} steps)", quality)
    if result.null is not None:
        limits = ", ".join(
            f"{1e3 * x:.2g} mRy at kappa = {k:g}"
            for k, x in zip(result.null.kappas, result.null.epsilon_at, strict=True)
        )
        report.line(
            f"no chemical order is detected: |y| < {result.null.y:.3g}, |h_CC| at contact < "
            f"{result.null.h_cc_contact:.3g}, |epsilon| < {limits} (95 %)"
        )
    for warning in result.warnings:
        report.warn(warning)
    report.record(**as_json(result))


def as_json(result) -> dict[str, Any]:
    """The result under the names of the JSON object."""
    names = {"sigma": "sigma_bohr", "epsilon": "epsilon_mRy", "kappa": "kappa_per_bohr", "softness": "softness_bohr"}
    names |= {"resolution": "resolution_per_bohr", "ordering_enthalpy": "ordering_enthalpy_mRy"}
    parameters = {}
    for name, e in result.estimates.items():
        key = names.get(name, name)
        factor = 1e3 if key.endswith("_mRy") else 1.0
        parameters[key] = {
            "value": factor * e.value,
            "sd": factor * e.sd,
            "determined": e.determined,
            "fitted": e.fitted,
            "at_bound": e.at_bound,
            "note": e.note,
        }
    null = result.null
    chance, score = result.correlation_of_residuals, result.score
    return {
        "parameters": parameters,
        "correlation": {"names": list(result.correlated), "matrix": result.correlation.tolist()},
        "chi2": result.chi2,
        "dof": result.dof,
        "rms": result.rms,
        "noise": result.noise,
        "autocorrelation": {"lag_one": chance.lag_one, "time": chance.time, "inflation": result.inflation},
        "soft_core_test": None if score is None else {"b_squared_bohr2": score.b_squared, "sd": score.sd, "z": score.z},
        "null_alloy": None
        if null is None
        else {
            "y_below": null.y,
            "h_cc_contact_below": null.h_cc_contact,
            "epsilon_mRy_below": [1e3 * x for x in null.epsilon_at],
            "at_kappa_per_bohr": list(null.kappas),
        },
        "converged": result.converged,
        "starts": result.starts,
        "steps": result.steps,
        "warnings": list(result.warnings),
    }


def _profiles_needed(result) -> list[str]:
    """kappa, where it is determined but its error is too large for a symmetric interval."""
    kappa = result.estimates["kappa"]
    needed = kappa.fitted and result.null is None and not kappa.at_bound and kappa.sd > 0.2 * kappa.value
    return ["kappa"] if needed else []


def say_profiles(report: Report, profiles) -> None:
    """Intervals from profiles."""
    rows, records = [], {}
    for p in profiles:
        factor = 1 / MRY.get(p.name, 1.0)
        low, high, low_95, high_95 = (factor * x for x in (p.low, p.high, p.low_95, p.high_95))
        rows.append((p.name, f"{low:.4g} ... {high:.4g}", f"68 %; 95 %: {low_95:.4g} ... {high_95:.4g}"))
        records[p.name] = {"low_68": low, "high_68": high, "low_95": low_95, "high_95": high_95}
    if rows:
        report.table("profile likelihood", rows)
        report.record(profiles=records)


def sample_posterior(arguments: argparse.Namespace, report: Report, result) -> None:
    """Sample, print, and write the samples."""
    from jaxalloy.fitting.posterior import posterior

    found = posterior(result)
    rows = [
        (s.name, f"{s.mean:.5g} ± {s.sd:.2g}", f"{s.unit}; R-hat {s.r_hat:.3f}, {s.ess:.0f} effective samples")
        for s in found.summary
    ]
    report.table("posterior", rows)
    report.record(posterior={s.name: s._asdict() for s in found.summary})
    path = arguments.output / f"{_stem(result)}-posterior.nc"
    report.write(path, lambda path: found.inference_data().to_netcdf(str(path)))


def _stem(result) -> str:
    return result.data[0].name.rpartition(".")[0] or result.data[0].name


def write_files(arguments: argparse.Namespace, report: Report, result) -> None:
    """netCDF file, table and figure."""
    from jaxalloy.fitting.export import fit_to_dataset, parameter_table

    dataset = fit_to_dataset(result)
    stem = f"{_stem(result)}-fit"
    report.write(arguments.output / f"{stem}.nc", lambda path: dataset.to_netcdf(path, engine="h5netcdf"))
    report.write(arguments.output / f"{stem}.txt", lambda path: path.write_text(parameter_table(result), "utf-8"))
    if not arguments.no_plot:
        from jaxalloy import plot_fit

        figure = plot_fit.fit(dataset)
        report.write(arguments.output / f"{stem}.png", lambda path: figure.savefig(path, dpi=150))
