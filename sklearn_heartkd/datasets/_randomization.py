"""Synthetic hearts, devices and rooms of great variety, for training that transfers to real ones."""

from dataclasses import replace

import numpy as np

from sklearn_heartkd.datasets._heart import usual_systole

_EARLIEST = 0.6  # share of the diastole that a premature beat may cut off
_KNOTS = 6  # of the random frequency response, from 15 Hz to half the sampling rate


def randomize_subject(subject, rng):
    """Return a subject whose heart and room differ from the usual ones."""
    rr = 60 / np.exp(rng.uniform(np.log(52), np.log(150)))
    systole = rng.uniform(0.8, 1.15)
    diastole = rr - systole * usual_systole(rr)
    return replace(
        subject,
        rr=rr,
        irregularity=rng.uniform(0.005, 0.06),
        systole=systole,
        # a premature beat comes after S2 of the beat before, a third sound before the next beat
        prematurity=min(rng.uniform(0.18, 0.5), _EARLIEST * diastole / rr),
        s3_delay=min(subject.s3_delay, 0.5 * diastole),
        s4_lead=min(subject.s4_lead, 0.4 * diastole),
        murmur_level=subject.murmur_level * np.exp(rng.normal(-0.3, 0.5)),
        clicks=rng.choice([0.0, 0.5, 2.0]),
        breath_noise=rng.uniform(0, 1.5),
    )


def randomize_recording(waveform, sampling_rate, rng, *, noisy):
    """Return a recording as if made with another device; if `noisy`, some with bursts of noise."""
    loudest = np.abs(waveform).max()
    heard = color(waveform, sampling_rate, rng)
    if noisy and rng.random() < 0.4:
        for _ in range(rng.integers(1, 4)):
            _add_burst(heard, sampling_rate, rng)
    return (heard * (loudest / np.abs(heard).max())).astype(waveform.dtype)


def color(waveform, sampling_rate, rng):
    """Change the frequency response by a random curve, smooth in log frequency."""
    frequencies = np.fft.rfftfreq(len(waveform), 1 / sampling_rate)
    knots = np.linspace(np.log(15), np.log(sampling_rate / 2), _KNOTS)
    tilt = rng.normal(0, 3) * np.linspace(-1, 1, _KNOTS)
    decibels = np.interp(
        np.log(np.maximum(frequencies, 15)), knots, rng.normal(0, 4, _KNOTS) + tilt
    )
    return np.fft.irfft(
        np.fft.rfft(waveform.astype(np.float64)) * 10 ** (decibels / 20), len(waveform)
    )


def _add_burst(waveform, sampling_rate, rng):
    """Add a burst of colored noise of 0.2 to 1.2 s, in place; a part may lie past the end."""
    n_burst = max(16, round(rng.uniform(0.2, 1.2) * sampling_rate))
    burst = np.convolve(rng.normal(size=n_burst), rng.normal(size=8), "same") * np.hanning(n_burst)
    start = rng.integers(0, len(waveform))
    level = rng.uniform(0.3, 2) * waveform.std() / (burst.std() + 1e-12)
    waveform[start : start + n_burst] += level * burst[: len(waveform) - start]
