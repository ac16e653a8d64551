"""Synthetic heart sounds whose events are known."""

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, validate_params

from sklearn_heartkd.datasets._assemble import make_bunch
from sklearn_heartkd.datasets._heart import draw_subject, record
from sklearn_heartkd.datasets._randomization import color, randomize_recording, randomize_subject
from sklearn_heartkd.utils._random import draw_seed

_CLASSES = ("normal", "murmur", "extrahls", "extrastole", "artifact")

_DESCR = """\
Synthetic heart sounds

Subjects differ in the pitch, strength and splitting of the sounds S1 and S2 (damped oscillations),
in heart rate, chest, stethoscope and room. All recordings of a subject are of one class and resemble
each other, so recordings must be split by subject (`groups`). The table `events` lists the sounds,
murmurs and premature beats.

The classes are those of the PASCAL challenge: normal; murmur (ejection,
holosystolic or early diastolic); extrahls (a third or a fourth heart sound); extrastole
(premature beats with a compensatory pause); artifact (speech, friction, knocks, hiss).

They are for tests, demonstrations and experiments with a known truth. They do not show how well a
model works on patients.
"""

_RANDOMIZED = """
Hearts, devices and rooms are drawn with unusual variety (domain randomization), and each recording
has a different frequency response, so that recordings of one subject differ, too.
"""


@validate_params(
    {
        "n_recordings": [Interval(Integral, 1, None, closed="left")],
        "classes": ["array-like"],
        "n_subjects": [Interval(Integral, 1, None, closed="left"), None],
        "duration": [Interval(Real, 0, None, closed="neither")],
        "sampling_rate": [Interval(Real, 500, None, closed="left")],
        "snr_db": [Interval(Real, None, None, closed="right")],
        "murmur_db": [Interval(Real, None, None, closed="neither")],
        "n_devices": [Interval(Integral, 1, None, closed="left")],
        "domain_randomization": ["boolean"],
        "random_state": ["random_state"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def make_heart_sounds(
    n_recordings: int = 150,
    *,
    classes: Sequence[str] = _CLASSES,
    n_subjects: int | None = None,
    duration: float = 5.0,
    sampling_rate: float = 2000,
    snr_db: float = 15.0,
    murmur_db: float = 0.0,
    n_devices: int = 1,
    domain_randomization: bool = False,
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Any:
    """Make synthetic heart-sound recordings with a physiological model.

    S1 and S2 are damped oscillations [2]_, the intervals between beats vary with the breath [1]_,
    murmurs are bands of noise shaped by the cardiac cycle. Chest, stethoscope and ambient noise are
    simulated, too. See ``DESCR`` of the result.

    Parameters
    ----------
    n_recordings : int, default=150
        The number of recordings, spread evenly over the subjects.
    classes : sequence of str, default=("normal", "murmur", "extrahls", "extrastole", "artifact")
        The classes, some of those in the default.
    n_subjects : int, default=None
        The number of subjects, spread evenly over the classes; None means one for every five
        recordings, but at least two for each class.
    duration : float, default=5.0
        The length of each recording in seconds.
    sampling_rate : float, default=2000
        The sampling rate in Hz, at least 500.
    snr_db : float, default=15.0
        The mean ratio of signal to ambient noise in dB; it varies between subjects with a standard
        deviation of 2 dB. ``np.inf`` means no noise.
    murmur_db : float, default=0.0
        Makes the murmurs louder or fainter, in dB. With 0 they arise 4 to 18 dB below S1, which makes
        them clear; about -8 stands for the faint ones of the grades 1 and 2 [4]_.
    n_devices : int, default=1
        The number of stethoscopes. With 2 or more, each subject is recorded with one of them, and they
        differ in their frequency responses by some dB.
    domain_randomization : bool, default=False
        Whether to draw hearts, devices and rooms of unusual variety [3]_, for
        :class:`~sklearn_heartkd.SupervisedPretraining`: heart rates from 52 to 150 beats per minute,
        regular to strongly irregular rhythms, fainter and louder murmurs, a different spectrum for each
        recording, breath, clicks and bursts of noise. The ratio of signal to noise is uniform from
        15 dB below to 7 dB above `snr_db`.
    random_state : int, RandomState instance or None, default=None
        The seed; an int makes the recordings reproducible.
    return_X_y : bool, default=False
        True returns ``(data, target)`` instead of the Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        - data : float32 array of shape (n_recordings, n_samples).
        - target : ndarray of str of shape (n_recordings,).
        - groups : ndarray of str of shape (n_recordings,), the subjects.
        - sampling_rate : float, in Hz.
        - filenames : ndarray of str of shape (n_recordings,), names of files that do not exist.
        - frame : DataFrame with the columns file, label, quality (""), subject, site (""),
          seconds, original_sampling_rate and, with several devices, device.
        - events : DataFrame with the columns recording (row in `data`), kind ("S1", "S2", "S3",
          "S4", "murmur" or "premature"), start and end (seconds).
        - target_names : ndarray of str, the classes.
        - DESCR : str.

    Raises
    ------
    ValueError
        If a class is unknown, or there are more subjects than recordings.

    See Also
    --------
    load_audio_folder : Load real recordings.

    References
    ----------
    .. [1] P. E. McSharry, G. D. Clifford, L. Tarassenko, L. A. Smith, "A dynamical model for
       generating synthetic electrocardiogram signals", IEEE Transactions on Biomedical
       Engineering 50(3), 2003: the variation of the intervals with the breath.
    .. [2] A. A. Luisada, "The Sounds of the Normal Heart", Green, 1972: pitch and length of the
       sounds.
    .. [3] J. Tobin et al., "Domain randomization for transferring deep neural networks from simulation
       to the real world", IROS 2017.
    .. [4] A. R. Freeman, S. A. Levine, "The clinical significance of the systolic murmur: a study of
       1000 consecutive 'non-cardiac' cases", Annals of Internal Medicine 6, 1933: the grades.

    Examples
    --------
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(20, duration=3.0, random_state=0)
    >>> sounds.data.shape, sounds.data.dtype
    ((20, 6000), dtype('float32'))
    >>> sorted(set(sounds.events["kind"]))
    ['S1', 'S2', 'S3', 'S4', 'murmur', 'premature']
    """
    classes = list(dict.fromkeys(classes))
    unknown = [label for label in classes if label not in _CLASSES]
    if unknown or not classes:
        raise ValueError(f"classes must be some of {_CLASSES}, got {tuple(unknown)}.")
    if n_subjects is None:
        n_subjects = min(n_recordings, max(2 * len(classes), n_recordings // 5))
    if n_subjects > n_recordings:
        raise ValueError(f"n_subjects={n_subjects} must be at most n_recordings={n_recordings}.")
    seed = draw_seed(random_state)
    # a generator for each purpose, so that one option does not change what the others draw
    n_samples = max(1, round(duration * sampling_rate))
    data = np.empty((n_recordings, n_samples), dtype=np.float32)
    used = [np.random.default_rng([seed, 5, who]).integers(n_devices) for who in range(n_subjects)]
    rows, events = [], []
    for i in range(n_recordings):
        who, visit = i % n_subjects, i // n_subjects
        turn = who if n_subjects >= 2 * len(classes) else who + visit
        label = classes[turn % len(classes)]
        subject = draw_subject(np.random.default_rng([seed, 0, who]), label)
        subject = replace(subject, murmur_level=subject.murmur_level * 10 ** (murmur_db / 20))
        level = snr_db
        if domain_randomization:
            subject = randomize_subject(subject, np.random.default_rng([seed, 2, who]))
            level = snr_db + np.random.default_rng([seed, 3, i]).uniform(-15, 7)
        data[i], found = record(
            subject,
            label,
            np.random.default_rng([seed, 1, i]),
            duration=n_samples / sampling_rate,
            sampling_rate=sampling_rate,
            snr_db=level,
        )
        if n_devices > 1:
            rng = np.random.default_rng([seed, 6, used[who]])
            data[i] = color(data[i], sampling_rate, rng)
        if domain_randomization:
            rng = np.random.default_rng([seed, 4, i])
            noisy = bool(np.isfinite(snr_db))
            data[i] = randomize_recording(data[i], sampling_rate, rng, noisy=noisy)
        events += [(i, *event) for event in found]
        name = f"{label}__{who:03d}_{visit:02d}.wav"
        rows.append((name, name, label, "", f"{who:03d}", "", f"{who:03d}"))
    table = pd.DataFrame(
        rows, columns=["path", "file", "label", "quality", "subject", "site", "group"]
    ).assign(seconds=n_samples / sampling_rate, original_sampling_rate=sampling_rate)
    if n_devices > 1:
        table["device"] = [f"device {used[i % n_subjects] + 1}" for i in range(n_recordings)]
    descr = _DESCR + _RANDOMIZED if domain_randomization else _DESCR
    bunch = make_bunch(data, table, sampling_rate, descr)
    bunch.events = pd.DataFrame(events, columns=["recording", "kind", "start", "end"])
    return (bunch.data, bunch.target) if return_X_y else bunch
