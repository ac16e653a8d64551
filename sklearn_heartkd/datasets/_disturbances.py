"""The disturbances of the synthetic recordings, and the filters that shape them."""

import numpy as np


def artifact(subject, time, spectrum, rng):
    """Mix the disturbances; each subject is prone to one of them."""
    parts = {"speech": _speech, "friction": _friction, "knocks": _knocks, "static": _static}
    levels = np.exp(rng.normal((0.0, -1.5, -2.5, -2.5), 0.6))
    mix = np.zeros_like(time)
    for kind, level in zip(subject.artifacts, levels, strict=True):
        part = parts[kind](time, spectrum, rng)
        mix += level * part / rms(part)
    return mix


def _speech(time, spectrum, rng):
    """Speak in syllables: harmonics of a gliding pitch under two formants."""
    pitch = rng.uniform(95, 230) * np.exp(0.12 * _slow(time, 2.0, rng))
    phase = 2 * np.pi * np.cumsum(pitch) / spectrum.sampling_rate
    n_harmonics = int(min(8, 0.4 * spectrum.sampling_rate / pitch.max()))
    formants = rng.uniform(250, 500), rng.uniform(600, 1000)
    voice = np.zeros_like(time)
    for harmonic in range(1, n_harmonics + 1):
        frequency = harmonic * pitch.mean()
        gain = sum(1 / (1 + ((frequency - formant) / 120) ** 2) for formant in formants)
        voice += (gain + 0.1 / harmonic) * np.sin(harmonic * phase)
    syllables = np.clip(_slow(time, 4.0, rng) + 0.2, 0, None)
    return voice * syllables + 1e-3 * rng.normal(size=len(time))


def _friction(time, spectrum, rng):
    """Rub the membrane over skin or cloth: bursts of broad noise."""
    low = rng.uniform(40, 150)
    texture = spectrum.noise(rng, spectrum.band(low, low * rng.uniform(4, 10)))
    return texture * (np.clip(_slow(time, 2.5, rng) - 0.2, 0, None) ** 1.5 + 0.02)


def _knocks(time, spectrum, rng):
    """Knock on the stethoscope or the table: damped blows of very different strength."""
    knocks = 1e-3 * rng.normal(size=len(time))
    for start in rng.uniform(time[0], time[-1], 1 + rng.poisson(1.5 * (time[-1] - time[0]))):
        add_blow(knocks, time, start, rng.uniform(0.008, 0.05), rng)
    return knocks


def add_blow(wave, time, start, decay, rng):
    """Add a damped blow of random pitch and strength to a wave, in place."""
    frequency = rng.uniform(50, 280)
    u = time[np.searchsorted(time, start) :] - start
    blow = np.exp(-u / decay) * np.sin(2 * np.pi * frequency * u)
    wave[len(time) - len(u) :] += np.exp(rng.normal(0, 0.8)) * blow


def _static(time, spectrum, rng):
    """Hiss steadily, with gaps of silence."""
    level = np.where(_slow(time, 0.5, rng) > -1.5, 1.0, 1e-3)
    return level * spectrum.noise(rng, spectrum.band(20, rng.uniform(300, 2000)))


def ambient_noise(subject, time, spectrum, rng):
    """Make colored noise, breathing, and the hum of the mains."""
    color = spectrum.noise(rng, np.maximum(spectrum.frequencies, 20) ** -subject.noise_slope)
    breath = spectrum.noise(rng, spectrum.band(150, 450))
    cycle = np.sin(2 * np.pi * subject.breathing_rate * time + rng.uniform(0, 2 * np.pi))
    mains = 0.1 * np.sin(2 * np.pi * 50 * time + rng.uniform(0, 2 * np.pi))
    return color + subject.breath_noise * np.maximum(cycle, 0) ** 2 * breath + mains


def _slow(time, rate, rng):
    """Return a random curve of about unit variance with about `rate` turns per second."""
    knots = np.arange(time[0] - 1 / rate, time[-1] + 2 / rate, 0.5 / rate)
    curve = np.interp(time, knots, rng.normal(size=len(knots)))
    return 1.2 * curve


def rms(x):
    """Return the root mean square."""
    return np.sqrt(np.mean(x * x))


class Spectrum:
    """Filters and colored noise of one length, through the FFT."""

    def __init__(self, n_samples, sampling_rate):
        self.n_samples = n_samples
        self.sampling_rate = sampling_rate
        self.frequencies = np.fft.rfftfreq(n_samples, 1 / sampling_rate)

    def low_pass(self, cutoff):
        """Return the response of the chest, 9 dB an octave above `cutoff`."""
        return 1 / np.sqrt(1 + (self.frequencies / cutoff) ** 3)

    def band(self, low, high):
        """Return the response of a third-order Butterworth band-pass."""
        f = np.maximum(self.frequencies, 1e-3)
        return 1 / np.sqrt((1 + (low / f) ** 6) * (1 + (f / high) ** 6))

    def filter(self, x, response):
        """Filter `x`, without a shift of phase."""
        return np.fft.irfft(np.fft.rfft(x) * response, self.n_samples)

    def noise(self, rng, response):
        """Return noise of unit power with the spectrum `response`."""
        noise = self.filter(rng.normal(size=self.n_samples), response)
        return noise / rms(noise)
