"""Sounds that are not hearts, for benchmarks/out_of_domain.py: spoken, played or generated, at 2 kHz."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE = 2000
_VOICES = ("en-us", "en-gb", "de", "fr-fr", "es", "it", "pl", "sv", "tr", "pt", "nl", "fi")
_SPEAKERS = ("m1", "m3", "m7", "f1", "f2", "f4")
_TEXTS = (
    "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve.",
    "Please breathe in, and breathe out again. Now hold your breath for a moment. Thank you.",
    "The train to the coast leaves at ten past four from platform seven, and stops at every village.",
    "Good morning, how are you today? Have you slept well, and have you taken your medicine?",
    "It rained all night, but now the sun is out, and the children play in the garden.",
)


def make(kind, n, seed=0, music=()):
    """Return `n` waveforms of a kind of sound; lengths from 4 to 10 s are drawn."""
    rngs = [np.random.default_rng([seed, KINDS.index(kind), i]) for i in range(n)]
    if kind == "speech":
        return [_speech(rng, i) for i, rng in enumerate(rngs)]
    if kind == "music":
        return [_music(rng, sorted(music)) for rng in rngs]
    return [_MAKERS[kind](rng, np.arange(round(rng.uniform(4, 10) * RATE)) / RATE) for rng in rngs]


def _speech(rng, i):
    """Let espeak-ng speak, each time with another voice, speed, pitch and text."""
    voice = f"{_VOICES[i % len(_VOICES)]}+{_SPEAKERS[i // len(_VOICES) % len(_SPEAKERS)]}"
    speed, pitch = rng.integers(110, 200), rng.integers(20, 80)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        options = ["-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(file)]
        text = _TEXTS[rng.integers(len(_TEXTS))]
        subprocess.run(["espeak-ng", *options, text], check=True, capture_output=True)
        wave, rate = soundfile.read(file)
    return soxr.resample(wave, rate, RATE)[: round(rng.uniform(4, 10) * RATE)]


def _music(rng, files):
    """Cut an excerpt out of a piece."""
    file = files[rng.integers(len(files))]
    with soundfile.SoundFile(file) as piece:
        length = round(rng.uniform(4, 10) * piece.samplerate)
        piece.seek(int(rng.integers(0, max(1, len(piece) - length))))
        wave, rate = piece.read(length, always_2d=True).mean(axis=1), piece.samplerate
    return soxr.resample(wave, rate, RATE)


def _lungs(rng, time):
    """Breathe as Pasterkamp, Kraman and Wodicka (1997) describe it, without a heart behind it.

    12 to 24 breaths a minute; the spectrum falls by 10 to 20 dB an octave above 100 Hz; the expiration is
    quieter and, as heard, shorter. A third of the lungs wheeze (100 to 800 Hz, above 100 ms), a third
    crackle (fine: 5 ms, 650 Hz; coarse: 15 ms, 350 Hz).
    """
    breath = (time * rng.uniform(12, 24) / 60 + rng.uniform()) % 1
    share = rng.uniform(0.35, 0.45)
    inspiration = np.where(breath < share, np.sin(np.pi * breath / share), 0)
    later = (breath - share) / rng.uniform(0.25, 0.45)
    expiration = np.where((later > 0) & (later < 1), np.sin(np.pi * np.clip(later, 0, 1)), 0)
    flow = inspiration + rng.uniform(0.2, 0.6) * expiration
    wave = (flow**1.75 + 0.01) * _noise(rng, len(time), 100, -rng.uniform(10, 20))
    kind = rng.integers(3)
    if kind == 1:
        pitch = rng.uniform(100, 800) * (1 + 0.05 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * time))
        tone = np.sin(2 * np.pi * np.cumsum(pitch) / RATE)
        wave += rng.uniform(0.3, 2) * wave.std() * tone * (expiration > 0.3)
    if kind == 2:
        length, pitch = (0.005, 650) if rng.uniform() < 0.5 else (0.015, 350)
        for start in rng.choice(np.flatnonzero(inspiration > 0.2), rng.integers(5, 40)):
            u = time[start:] - time[start]
            crackle = np.exp(-u / length) * np.sin(2 * np.pi * pitch * np.sqrt(u / length) * length)
            wave[start:] += rng.uniform(1, 6) * wave.std() * crackle
    return wave


def _traffic(rng, time):
    """Let cars pass: tyres as noise below 1 kHz, engines as harmonics with a gliding pitch."""
    wave = 0.05 * _noise(rng, len(time), 40, -6)
    for _ in range(rng.integers(1, 4)):
        passing = np.exp(-0.5 * ((time - rng.uniform(0, time[-1])) / rng.uniform(0.8, 3)) ** 2)
        pitch = rng.uniform(20, 80) * (1 + 0.1 * np.tanh((time - time.mean()) / 2))
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        engine = sum(np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 9))
        tyres = _noise(rng, len(time), rng.uniform(200, 600), -6)
        wave += passing * (rng.uniform(0.3, 2) * engine + rng.uniform(1, 4) * tyres)
    return wave


def _silence(rng, time):
    """Record nothing: the hiss of the electronics, often with hum, or zeros and a last bit of noise."""
    kind = rng.integers(3)
    if kind == 0:
        return np.round(rng.normal(0, 0.4, len(time))) / 32768
    hum = sum(
        rng.uniform(0, 1) * np.sin(2 * np.pi * 50 * k * time + rng.uniform(0, 6)) for k in (1, 2, 3)
    )
    hiss = _noise(rng, len(time), 20, -rng.uniform(0, 6))
    return 10 ** rng.uniform(-4.5, -2.5) * (hiss + (kind == 2) * rng.uniform(0.2, 3) * hum)


def _rubbing(rng, time):
    """Rub the membrane over skin or cloth: strokes of broad noise of irregular length and strength."""
    wave, start = 0.01 * _noise(rng, len(time), 100, -6), 0.0
    while start < time[-1]:
        length = rng.uniform(0.1, 1.2)
        u = (time - start) / length
        stroke = np.where((u > 0) & (u < 1), np.sin(np.pi * np.clip(u, 0, 1)) ** 0.5, 0)
        low = rng.uniform(40, 300)
        wave += (
            np.exp(rng.normal(0, 0.6)) * stroke * _noise(rng, len(time), low, -rng.uniform(3, 12))
        )
        start += length * rng.uniform(0.6, 1.8)
    return wave


def _noise(rng, n, corner, slope):
    """Return noise of unit deviation: flat below a corner in Hz, then `slope` dB an octave."""
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    gain = 10 ** (slope * np.log2(np.maximum(frequency / corner, 1)) / 20)
    wave = np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * gain * (frequency > 15), n)
    return wave / wave.std()


_MAKERS = {"lungs": _lungs, "traffic": _traffic, "silence": _silence, "rubbing": _rubbing}
KINDS = ("speech", "music", *_MAKERS)
