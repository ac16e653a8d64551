"""The physiology behind the synthetic recordings: subjects, their beats and their sounds."""

from dataclasses import dataclass

import numpy as np

from sklearn_heartkd.datasets._disturbances import (
    Spectrum,
    add_blow,
    ambient_noise,
    artifact,
    rms,
)

_PADDING = 0.3  # seconds on either side, cropped away after filtering
_MURMURS = {  # range of the center of the band in Hz
    "ejection": (90, 220),
    "holosystolic": (130, 300),
    "diastolic": (180, 380),
}


@dataclass(frozen=True)
class Sound:
    """Damped oscillations: two low ones, one after the other, and a sharp short one."""

    frequencies: tuple[float, ...]  # Hz
    phases: tuple[float, ...]
    amplitudes: tuple[float, ...]
    delays: tuple[float, ...]  # seconds
    decays: tuple[float, ...]  # seconds

    @property
    def length(self):
        """The time in seconds until it has decayed to a twentieth."""
        return max(self.delays) + 3.5 * max(self.decays)

    def __call__(self, t):
        """Return the sound at the times `t` in seconds after its start."""
        wave = np.zeros_like(t)
        for frequency, phase, amplitude, delay, decay in zip(
            self.frequencies, self.phases, self.amplitudes, self.delays, self.decays, strict=True
        ):
            # a fast rise and a slow decay: without the rise the sound would begin with a click
            u = np.maximum(t - delay, 0)
            envelope = (1 - np.exp(-u / (0.4 * decay))) * np.exp(-u / decay)
            wave += amplitude * envelope * np.sin(2 * np.pi * frequency * u + phase)
        return wave


@dataclass(frozen=True)
class Subject:
    """The properties that all recordings of one subject share."""

    rr: float  # seconds between beats at rest
    irregularity: float
    breathing_rate: float  # Hz
    systole: float  # relative to the usual one at that rate
    sounds: dict[str, Sound]  # S1 and S2, in some subjects S3 or S4
    s3_delay: float  # seconds after S2
    s4_lead: float  # seconds before S1
    murmur: str | None
    murmur_level: float  # relative to S1
    murmur_band: tuple[float, float]  # Hz
    prematurity: float  # share of a beat by which premature beats come early
    artifacts: tuple[str, ...]
    band: tuple[float, float]  # Hz, of the stethoscope
    chest: float  # Hz, above which the chest damps
    clicks: float  # expected handling noises in a recording
    noise_slope: float
    breath_noise: float
    noise_offset: float  # dB
    gain: float


def draw_subject(rng, label):
    """Draw a subject whose recordings are of the class `label`."""

    def sound(amplitude, low, high, decay, split, sharpness):
        decay, split = rng.uniform(*decay), rng.uniform(*split)
        return Sound(
            frequencies=(
                rng.uniform(low, high),
                rng.uniform(low, 1.4 * high),
                rng.uniform(110, 320),
            ),
            phases=tuple(rng.uniform(0, 2 * np.pi, 3)),
            amplitudes=tuple(amplitude * np.array([1.0, rng.uniform(0.3, 0.9), sharpness])),
            delays=(0.0, split, 0.5 * split),
            decays=(decay, decay, rng.uniform(0.002, 0.007)),
        )

    sharp = np.exp(rng.normal(0.0, 0.25))
    sounds = {
        "S1": sound(1.0, 38, 65, (0.018, 0.034), (0.015, 0.035), sharp),
        "S2": sound(np.exp(rng.normal(-0.2, 0.15)), 48, 85, (0.012, 0.026), (0.01, 0.04), sharp),
    }
    extra = {
        "S3": sound(rng.uniform(0.6, 1.1), 28, 60, (0.018, 0.03), (0.0, 0.01), 0.3 * sharp),
        "S4": sound(rng.uniform(0.6, 1.1), 26, 55, (0.016, 0.026), (0.0, 0.01), 0.3 * sharp),
    }
    # every random number is drawn for every class, so that a label does not change the rest of a subject
    has_extra = rng.choice(["S3", "S4", "both"], p=[0.5, 0.35, 0.15])
    if label == "extrahls":
        sounds |= {kind: extra[kind] for kind in extra if has_extra in (kind, "both")}
    murmur = rng.choice(list(_MURMURS), p=[0.45, 0.35, 0.2])
    center = rng.uniform(*_MURMURS[murmur])
    width = rng.uniform(0.35, 0.7)
    return Subject(
        rr=60 / rng.uniform(60, 85),
        irregularity=rng.uniform(0.008, 0.025),
        breathing_rate=rng.uniform(0.18, 0.35),
        systole=rng.uniform(0.92, 1.08),
        sounds=sounds,
        s3_delay=rng.uniform(0.12, 0.16),
        s4_lead=rng.uniform(0.10, 0.13),
        murmur=str(murmur) if label == "murmur" else None,
        murmur_level=np.exp(rng.uniform(np.log(0.12), np.log(0.6))),
        murmur_band=(center * (1 - width), center * (1 + width)),
        prematurity=rng.uniform(0.32, 0.45),
        artifacts=tuple(rng.permutation(["speech", "friction", "knocks", "static"])),
        band=(rng.uniform(18, 28), rng.uniform(500, 900)),
        chest=np.exp(rng.uniform(np.log(80), np.log(180))),
        clicks=rng.choice([0.0, 0.2, 0.6]),
        noise_slope=rng.uniform(0.7, 1.0),
        breath_noise=rng.uniform(0, 0.5),
        noise_offset=rng.normal(0, 2),
        gain=np.exp(rng.normal(-1.2, 0.5)),
    )


def record(subject, label, rng, *, duration, sampling_rate, snr_db):
    """Make one recording of a subject, and the events in it as (kind, start, end) in seconds."""
    n_samples = round(duration * sampling_rate)
    n_padded = n_samples + 2 * round(_PADDING * sampling_rate)
    time = np.arange(n_padded) / sampling_rate - _PADDING
    spectrum = Spectrum(n_padded, sampling_rate)

    # the heart: sounds, then murmurs, heard through the chest, which damps high frequencies
    beats = _beats(subject, label, rng, duration)
    events = []
    heart = np.zeros(n_padded)
    for beat in beats:
        for kind, start, amplitude in beat.sounds:
            sound = subject.sounds[kind]
            first, last = np.searchsorted(time, (start, start + 2 * sound.length))
            heart[first:last] += amplitude * sound(time[first:last] - start)
            events.append((kind, start, start + sound.length))
        if beat.premature:
            end = max(start for _, start, _ in beat.sounds) + subject.sounds["S2"].length
            events.append(("premature", beat.start, end))
    if subject.murmur is not None:
        envelope, intervals = _murmur_envelope(subject, beats, time, rng)
        texture = spectrum.noise(rng, spectrum.band(*subject.murmur_band))
        heart += subject.murmur_level * envelope * texture
        events += [("murmur", *interval) for interval in intervals]
    heart = spectrum.filter(heart, spectrum.low_pass(subject.chest))

    for start in rng.uniform(0, duration, rng.poisson(subject.clicks)):
        add_blow(heart, time, start, rng.uniform(0.002, 0.01), rng)

    if label == "artifact":
        disturbance = artifact(subject, time, spectrum, rng)
        audible = rng.uniform(0.1, 0.5) if rng.random() < 0.5 else 0.0
        heart = disturbance + audible * heart * rms(disturbance) / rms(heart)
        events = events if audible else []
    # the stethoscope hears the heart and the room; the filters ring at the ends, which are cut away
    signal = spectrum.filter(heart, spectrum.band(*subject.band))
    noise = spectrum.filter(
        ambient_noise(subject, time, spectrum, rng), spectrum.band(*subject.band)
    )
    inside = slice(n_padded // 2 - n_samples // 2, n_padded // 2 - n_samples // 2 + n_samples)
    signal, noise = signal[inside], noise[inside]
    snr = snr_db + subject.noise_offset + rng.normal(0, 1)
    waveform = signal + noise * rms(signal) / rms(noise) * 10 ** (-snr / 20)
    waveform *= subject.gain * np.exp(rng.normal(0, 0.15)) / np.abs(waveform).max()
    events = [
        (kind, max(start, 0.0), min(end, duration))
        for kind, start, end in events
        if end > 0 and start < duration
    ]
    return waveform.astype(np.float32), sorted(events, key=lambda event: event[1])


def usual_systole(rr):
    """Return the usual time from S1 to S2 in seconds, at `rr` seconds between beats."""
    return 0.20 + 0.12 * rr


@dataclass
class _Beat:
    start: float  # of S1, in seconds
    s2: float
    following: float  # S1 of the next beat
    premature: bool
    sounds: list[tuple[str, float, float]]  # kind, start, amplitude


def _beats(subject, label, rng, duration):
    rr = subject.rr * np.exp(rng.normal(0, 0.04))
    n_beats = int((duration + 2 * _PADDING) / rr * 1.3) + 6
    phase = rng.uniform(0, 2 * np.pi)
    # the breath changes the intervals and the loudness together
    breath = np.sin(phase + 2 * np.pi * subject.breathing_rate * rr * np.arange(n_beats))
    intervals = rr * (1 + 0.035 * breath + subject.irregularity * rng.normal(size=n_beats))
    starts = np.cumsum(intervals) - 2.5 * rr - rng.uniform(0, rr)
    premature = np.zeros(n_beats, dtype=bool)
    if label == "extrastole":
        premature[_premature_beats(starts, rr * subject.prematurity, rng, duration)] = True
        starts[premature] -= subject.prematurity * rr * rng.uniform(0.9, 1.1, premature.sum())

    # a premature beat is loud at S1 and faint at S2, because the ventricle is hardly filled
    loudness = (1 + 0.12 * breath) * np.exp(rng.normal(0, 0.08, (2, n_beats)))
    after = np.roll(premature, 1)
    loudness[0] *= np.where(premature, rng.uniform(1.3, 1.9), np.where(after, 1.15, 1.0))
    loudness[1] *= np.where(premature, rng.uniform(0.2, 0.5), np.where(after, 1.1, 1.0))
    systoles = subject.systole * usual_systole(rr) * np.where(premature, 0.88, 1.0)
    systoles = systoles + rng.normal(0, 0.004, n_beats)
    beats = []
    for k in range(n_beats - 1):
        start, s2 = starts[k], starts[k] + systoles[k]
        sounds = [("S1", start, loudness[0, k]), ("S2", s2, loudness[1, k])]
        extra = np.exp(rng.normal(0, 0.15))
        if "S3" in subject.sounds:
            sounds.append(("S3", s2 + subject.s3_delay + rng.normal(0, 0.004), extra))
        if "S4" in subject.sounds:
            sounds.append(("S4", start - subject.s4_lead + rng.normal(0, 0.004), extra))
        beats.append(_Beat(start, s2, starts[k + 1], bool(premature[k]), sounds))
    return beats


def _premature_beats(starts, early, rng, duration):
    """Choose beats inside the recording, never two in a row, and at least one."""
    candidates = np.flatnonzero((starts - early > 0) & (starts < duration - 0.3))
    if len(candidates) == 0:
        return [int(np.argmin(np.abs(starts - early - duration / 2)))]
    chosen = [int(rng.choice(candidates))]
    for beat in rng.permutation(candidates)[: rng.poisson(duration / 2.5)]:
        if min(abs(beat - other) for other in chosen) > 1:
            chosen.append(int(beat))
    return chosen


def _murmur_envelope(subject, beats, time, rng):
    envelope = np.zeros_like(time)
    intervals = []
    for beat in beats:
        s1_end = beat.start + 0.5 * subject.sounds["S1"].length
        s2_end = beat.s2 + 0.5 * subject.sounds["S2"].length
        if subject.murmur == "ejection":
            start, end = s1_end, beat.s2 - 0.01
        elif subject.murmur == "holosystolic":
            start, end = beat.start + 0.02, beat.s2 + 0.01
        else:
            start, end = s2_end, s2_end + 0.65 * (beat.following - s2_end)
        first, last = np.searchsorted(time, (start, end))
        u = (time[first:last] - start) / (end - start)
        if subject.murmur == "ejection":
            shape = np.sin(np.pi * u) ** 1.5
        elif subject.murmur == "holosystolic":
            shape = np.minimum(1, 6 * np.minimum(u, 1 - u))
        else:
            shape = np.minimum(1, 8 * u) * (1 - u) ** 1.3
        envelope[first:last] = shape * np.exp(rng.normal(0, 0.15))
        intervals.append((start, end))
    return envelope, intervals
