"""`jaxalloy sweep`: a map over states from a TOML file into a Zarr store, resumable, on all devices or a cluster."""

import argparse
import math
import pathlib
import sys
import time
from typing import Any

from jaxalloy.cli import exit_codes
from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError, NoResultError

INTERRUPTED = 130
SECONDS_BETWEEN_LINES = 10.0


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy sweep`."""
    parser = subparsers.add_parser(
        "sweep",
        help="map a quantity over many states",
        description="Computes predict, structure-factor, relax or stationary at every state that a TOML file "
        "describes, into a Zarr store that xarray.open_zarr opens. Interrupted, it continues with --resume.",
    )
    parser.add_argument(
        "file", type=pathlib.Path, metavar="TOML", help="what to compute; examples in experiments/sweeps"
    )
    parser.add_argument("--resume", action="store_true", help="continue the store: compute only what is missing")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and how long it would take")
    where = parser.add_argument_group("where to compute")
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask cluster, tcp://host:8786, or local:2 for 2 workers"
    )
    where.add_argument("--device", choices=("cpu", "gpu"), help="kind of device (a GPU if JAX sees one)")
    where.add_argument("--devices", type=int, metavar="N", help="parts that a CPU is used in (one per core)")
    where.add_argument("--coordinator", metavar="HOST:PORT", help="of the first of several processes; or auto")
    where.add_argument("--process", type=_of_many, metavar="I/N", help="number of this one, from 0, of so many")
    where.add_argument("--memory", type=float, metavar="GB", help="that a chunk may take (a quarter of what is free)")
    where.add_argument("--chunk", type=int, metavar="N", help="states of a chunk (as many as take some seconds)")
    group = parser.add_argument_group("output")
    group.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(), metavar="DIR", help="folder for the store (here)"
    )
    group.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    return parser


def _of_many(text: str) -> tuple[int, int]:
    number, separator, count = text.partition("/")
    if not (separator and number.isdigit() and count.isdigit() and int(number) < int(count)):
        raise argparse.ArgumentTypeError(f"{text!r}: write it as I/N, as in 0/2 for the first of two")
    return int(number), int(count)


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Plan, compute, summarise."""
    path = arguments.output / f"{arguments.file.stem}.zarr"
    if path.exists() and not (arguments.resume or arguments.dry_run):
        raise InputError(f"{path} exists: continue it with --resume, or name another folder with --output")
    for name in ("devices", "chunk", "memory"):
        value = getattr(arguments, name)
        if value is not None and not value > 0:
            raise InputError(f"--{name} {value}: give a positive number")
    if arguments.scheduler and (arguments.coordinator or arguments.dry_run):
        raise InputError("--scheduler: leave --coordinator and --dry-run away with it")
    report.use_folder(arguments.output)
    first = _start(arguments, report)
    from jaxalloy import sweep

    configuration = sweep.Configuration.read(arguments.file)
    memory = None if arguments.memory is None else int(1e9 * arguments.memory)
    if arguments.dry_run:
        return _forecast(configuration, memory, arguments.chunk, report)
    meter = _Meter(report)
    try:
        summary = sweep.run(
            configuration,
            path,
            resume=arguments.resume,
            scheduler=arguments.scheduler,
            memory=memory,
            chunk=arguments.chunk,
            progress=meter if first else None,
        )
    except KeyboardInterrupt:
        print(f"\njaxalloy: interrupted; what is done is in {path}: continue with --resume", file=sys.stderr)
        return INTERRUPTED
    if first:
        _say(configuration, summary, report)
    if set(summary.statuses).isdisjoint({configuration.quantity.statuses[0]}):
        raise NoResultError(f"{configuration.quantity.name}: no state has a result; the store's status says why")
    return exit_codes.DONE


def _start(arguments: argparse.Namespace, report: Report) -> bool:
    """Set JAX up; returns whether this is the process that reports."""
    from jaxalloy.cli import device

    if arguments.scheduler:
        device.start("cpu", None)  # the workers compute, and the GPUs are theirs
        report.line(f"cluster: {arguments.scheduler}")
        return True
    device.use_whole_cpu(arguments.devices)
    if arguments.coordinator:
        from jaxalloy.sweep import processes

        processes.join(arguments.coordinator, arguments.process)
    elif arguments.process:
        raise InputError("--process: name the first process with --coordinator HOST:PORT")
    import jax

    first = not arguments.coordinator or jax.process_index() == 0
    device.start(arguments.device, report if first else None)
    return first


class _Meter:
    """Prints the progress: over and over in one line of a terminal, now and then elsewhere."""

    def __init__(self, report: Report):
        self.stream = sys.stderr if report.as_json else sys.stdout
        self.last = time.monotonic()

    def __call__(self, progress: Any) -> None:
        now, finished = time.monotonic(), progress.done == progress.total
        alive = self.stream.isatty()
        if not finished and now - self.last < (0.2 if alive else SECONDS_BETWEEN_LINES):
            return
        self.last = now
        text = (
            f"{progress.done}/{progress.total} states, {progress.rate:.4g}/s, {progress.failures} without a result, "
            f"{duration(progress.seconds_left)} left"
        )
        end = "\n" if finished or not alive else ""
        print(f"\r{text:<78}" if alive else text, end=end, file=self.stream, flush=True)


def duration(seconds: float) -> str:
    """As in 1 h 05 min; a question mark where it is not known."""
    if not math.isfinite(seconds):
        return "?"
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def _sizes(configuration: Any) -> str:
    return " x ".join(f"{name} {size}" for name, size in configuration.states.sizes.items())


def _forecast(configuration: Any, memory: int | None, chunk: int | None, report: Report) -> int:
    import jax

    from jaxalloy import sweep

    plan = sweep.make_plan(configuration, jax.default_backend(), jax.local_device_count(), memory, chunk)
    found = sweep.forecast(plan)
    report.table(
        f"plan of {configuration.quantity.name}; nothing is computed yet",
        [
            ("states", f"{plan.count}", _sizes(configuration)),
            ("chunks", f"{plan.chunks}", f"of up to {math.prod(plan.tile)} states, {plan.abreast} abreast"),
            ("devices", f"{found.devices}", jax.local_devices()[0].device_kind),
            ("memory", f"{found.memory / 1e6:.4g}", "MB, of the chunk that is computed"),
            ("disk", f"{found.disk / 1e6:.4g}", "MB before compression"),
            ("compilation", f"{found.compile_seconds:.3g}", "s, kept for the run"),
            ("time", duration(found.seconds), "by one chunk of median cost"),
        ],
    )
    report.line(f"stored of every state: {', '.join(configuration.stored)}, status")
    report.record(
        states=plan.count,
        chunks=plan.chunks,
        chunk_shape=list(plan.tile),
        devices=found.devices,
        memory_bytes=found.memory,
        disk_bytes=found.disk,
        compile_s=found.compile_seconds,
        predicted_s=found.seconds,
    )
    report.finish()
    return exit_codes.DONE


def _say(configuration: Any, summary: Any, report: Report) -> None:
    """The summary of a sweep that is complete."""
    for warning in summary.warnings:
        report.warn(warning)
    if summary.damaged:
        report.warn(f"{summary.damaged} chunk(s) of the store were damaged and have been computed again")
    rows = [(status, f"{count}", f"{count / summary.plan.count:.1%}") for status, count in summary.statuses.items()]
    report.table(f"{configuration.quantity.name}: {summary.plan.count} states, {_sizes(configuration)}", rows)
    if summary.computed:
        report.line(f"{summary.computed} of them computed now, in {duration(summary.seconds)}")
    else:
        report.line("the store was complete: nothing to do")
    report.line(f"wrote {summary.store}")
    report.record(
        files=[str(summary.store)],
        statuses=summary.statuses,
        states=summary.plan.count,
        computed=summary.computed,
        damaged_chunks=summary.damaged,
        seconds=summary.seconds,
    )
    report.finish()
