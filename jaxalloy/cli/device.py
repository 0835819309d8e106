"""Where JAX computes, and where it keeps what it has compiled."""

import contextlib
import hashlib
import os
import pathlib
import platform

import jax

from jaxalloy.cli.report import Report
from jaxalloy.numerics import programs
from jaxalloy.numerics.checks import InputError


def start(device: str | None, report: Report | None, once: bool = False) -> None:
    """Choose the device, turn the compilation cache on, and say (if to anybody) which backend and precision are in use.

    device: "cpu", "gpu" or None for what JAX prefers. once: whether each program runs once only, so that compiling it
    fast matters more than running it fast. Call this before anything is computed.
    Raises `InputError` where there is no such device.
    """
    folder = _keep_compiled_code()
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    try:
        found = jax.local_devices(backend=device)[0]
    except RuntimeError as error:
        raise InputError(f"device {device}: JAX sees none; install jaxalloy[cuda], or use --device cpu") from error
    jax.config.update("jax_default_device", found)
    programs.run_once(once, folder)
    dtype = jax.dtypes.canonicalize_dtype(float).name
    if report is not None:
        report.line(f"device: {found.platform} ({found.device_kind}), {dtype}")
        report.record(device=found.platform, dtype=dtype)


def use_whole_cpu(parts: int | None = None) -> None:
    """Let JAX see a CPU as so many devices, one per core by default. Call this before anything is computed."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # where JAX has started already, its devices are what they are
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", parts or available)


def cache_folder() -> pathlib.Path | None:
    """$JAXALLOY_CACHE, or jaxalloy/ in the user's cache folder; None where JAXALLOY_CACHE is set but empty.

    One folder for each kind of processor, as compiled code does not move between them.
    """
    chosen = os.environ.get("JAXALLOY_CACHE")
    if chosen == "":
        return None
    if chosen is not None:
        folder = pathlib.Path(chosen)
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        folder = pathlib.Path(base) / "jaxalloy"
    return folder / f"compiled-{platform.machine()}-{_processor()}"


def _processor() -> str:
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = [platform.processor()]
    features = "".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))
    return hashlib.sha256(features.encode()).hexdigest()[:8]


def _keep_compiled_code() -> pathlib.Path | None:
    """A cache that cannot be written is no reason to stop: then everything is compiled again."""
    folder = cache_folder()
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(folder, os.W_OK):
        return None
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        if "JAX_LOGGING_LEVEL" not in os.environ:
            # On some processors XLA reports its own tuning hints as missing features each time it reads the cache
            jax.config.update("jax_logging_level", "CRITICAL")
    return folder
