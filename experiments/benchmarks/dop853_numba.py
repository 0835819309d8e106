"""The compiled peer: DOP853 (Hairer & Wanner) in Numba, one trajectory per thread, for EM Eq. 9 with K states."""

import numba
import numpy as np
from scipy.integrate._ivp import dop853_coefficients as table

A, B, E3, E5 = table.A[:12, :12].copy(), table.B.copy(), table.E3.copy(), table.E5.copy()


@numba.njit(fastmath=True)
def _rate(y, out, dephasing, detuning):
    states = detuning.size
    b_re, b_im = y[0], y[1]
    sum_re, sum_im = 0.0, 0.0
    for k in range(states):
        d_re, d_im, s = y[2 + k], y[2 + states + k], y[2 + 2 * states + k]
        sum_re += d_re
        sum_im += d_im
        out[2 + k] = -dephasing * d_re + detuning[k] * d_im - s * b_im
        out[2 + states + k] = -dephasing * d_im - detuning[k] * d_re + s * b_re
        out[2 + 2 * states + k] = -s - 4.0 * (d_im * b_re - d_re * b_im)
    out[0] = sum_im
    out[1] = -sum_re


@numba.njit(fastmath=True)
def _one(start, times, dephasing, detuning, rtol, atol, field):
    n = start.size
    y, new, work = start.copy(), np.empty(n), np.empty((13, n))
    t, h, saved = 0.0, 1e-3, 0
    if times[0] == 0.0:
        field[0] = y[0] + 1j * y[1]
        saved = 1
    _rate(y, work[0], dephasing, detuning)
    for _ in range(1000000):
        if saved == times.size:
            return
        step = min(h, times[saved] - t)
        for stage in range(1, 12):
            for i in range(n):
                total = 0.0
                for j in range(stage):
                    total += A[stage, j] * work[j, i]
                new[i] = y[i] + step * total
            _rate(new, work[stage], dephasing, detuning)
        for i in range(n):
            total = 0.0
            for j in range(12):
                total += B[j] * work[j, i]
            new[i] = y[i] + step * total
        _rate(new, work[12], dephasing, detuning)
        fifth, third = 0.0, 0.0
        for i in range(n):
            e5, e3 = 0.0, 0.0
            for j in range(13):
                e5 += E5[j] * work[j, i]
                e3 += E3[j] * work[j, i]
            scale = atol + rtol * max(abs(y[i]), abs(new[i]))
            fifth += (e5 / scale) ** 2
            third += (e3 / scale) ** 2
        error = 0.0
        if fifth > 0.0:
            error = step * fifth / np.sqrt((fifth + 0.01 * third) * n)
        if error < 1.0:
            t += step
            y[:] = new
            work[0] = work[12]
            if t >= times[saved] * (1.0 - 1e-14):
                t = times[saved]
                field[saved] = y[0] + 1j * y[1]
                saved += 1
            factor = 10.0 if error == 0.0 else min(10.0, 0.9 * error ** (-0.125))
            h = max(h, step * factor) if step < h else step * factor
        else:
            h = step * max(0.2, 0.9 * error ** (-0.125))


@numba.njit(parallel=True, fastmath=True)
def integrate(start, times, dephasing, detuning, rtol, atol):
    """b at the times for every lane: start (lanes, n), dephasing (lanes,), detuning (lanes, k)."""
    field = np.empty((start.shape[0], times.size), np.complex128)
    for lane in numba.prange(start.shape[0]):
        _one(start[lane], times, dephasing[lane], detuning[lane], rtol, atol, field[lane])
    return field
