"""Processor time of the features of a recording, beside librosa, torchaudio and the spectrum.

    OMP_NUM_THREADS=1 python -m benchmarks.features_speed

100 synthetic recordings of 5 s, at 4 kHz (20 coefficients of 40 mel bands, frames of
256 samples every 64) and at 2 kHz (the defaults), on one thread. torchaudio is measured where it can be
imported; this package does not need it, and without it its rows are left out. The stored results
are those of torch 2.9.1 and torchaudio 2.9.1, with the other packages as in constraints.txt.

The methods take turns, and the round with the least processor time of each counts. `ratio` is the time of
the librosa loop that computes the same kind of features (log-mel bands for log-mel bands, otherwise MFCC)
divided by the method's; `: spectrum` is the method's time divided by that of the standardized MFCC. The
memory is the peak of what Python and NumPy allocate, less the features; what torch allocates is not seen.
Writes benchmarks/results/features_speed.csv and the table of docs/benchmarks/speed.md.
"""

import time
import tracemalloc
from contextlib import contextmanager
from importlib.util import find_spec

import librosa
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd import MFCC, Autocorrelogram, LogMelSpectrogram, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds

OUT = RESULTS / "features_speed.csv"
STFTS = {
    4000: {
        "n_mfcc": 20,
        "n_fft": 256,
        "hop_length": 64,
        "n_mels": 40,
        "fmin": 20.0,
        "fmax": 2000.0,
    },
    2000: {"n_mfcc": 20, "n_fft": 128, "hop_length": 64, "n_mels": 32, "fmin": 20.0, "fmax": 800.0},
}
ROUNDS = 50
LIBROSA, LIBROSA_MEL = "librosa MFCC, one after another", "librosa log-mel, one after another"
PLAIN, PLAIN_MEL = "`MFCC(normalize=False)`", "`LogMelSpectrogram(normalize=False)`"
SPECTRUM = "`MFCC()`"


def methods_at(rate):
    """Return the methods to compare, by name."""
    parameters = {"sampling_rate": rate, **STFTS[rate]}
    bands = {name: value for name, value in parameters.items() if name != "n_mfcc"}
    options = {"center": False, **{k: v for k, v in STFTS[rate].items() if k != "n_mfcc"}}

    def librosa_log_mel(x):
        return librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=rate, **options))

    def librosa_mfcc(x):
        return librosa.feature.mfcc(y=x, sr=rate, n_mfcc=parameters["n_mfcc"], **options)

    return {
        LIBROSA: lambda X: np.stack([librosa_mfcc(x) for x in X]),
        PLAIN: MFCC(normalize=False, **parameters).transform,
        SPECTRUM: MFCC(**parameters).transform,
        '`MFCC(output="summary")`': MFCC(output="summary", **parameters).transform,
        "`MFCC(cmvn=True)`": MFCC(cmvn=True, **parameters).transform,
        LIBROSA_MEL: lambda X: np.stack([librosa_log_mel(x) for x in X]),
        PLAIN_MEL: LogMelSpectrogram(normalize=False, **bands).transform,
        "`Autocorrelogram()`": Autocorrelogram(**bands).transform,
        "`RhythmFeatures()`": RhythmFeatures(sampling_rate=rate).transform,
    }


def torchaudio_methods_at(rate):
    """Return the methods of torchaudio by name, with the settings of librosa; none without it."""
    if find_spec("torchaudio") is None:
        return {}
    import torch
    from torchaudio.transforms import MFCC as TorchMFCC
    from torchaudio.transforms import AmplitudeToDB, MelSpectrogram

    stft = STFTS[rate]
    # its own defaults are centered frames, HTK's mel scale and filters that are not normalized
    options = {
        "n_fft": stft["n_fft"],
        "hop_length": stft["hop_length"],
        "n_mels": stft["n_mels"],
        "f_min": stft["fmin"],
        "f_max": stft["fmax"],
        "center": False,
        "mel_scale": "slaney",
        "norm": "slaney",
    }
    mfcc = TorchMFCC(rate, n_mfcc=stft["n_mfcc"], melkwargs=options)
    log_mel = torch.nn.Sequential(
        MelSpectrogram(rate, **options), AmplitudeToDB("power", top_db=80.0)
    )

    def one_after_another(module):
        return lambda X: np.stack([module(torch.from_numpy(x)).numpy() for x in X])

    def at_once(module):
        # shape (n, 1, n_samples): without a channel axis, top_db is relative to the loudest recording
        return lambda X: module(torch.from_numpy(X)[:, np.newaxis])[:, 0].numpy()

    return {
        "torchaudio MFCC, one after another": one_after_another(mfcc),
        "torchaudio MFCC, all at once": at_once(mfcc),
        "torchaudio log-mel, one after another": one_after_another(log_mel),
        "torchaudio log-mel, all at once": at_once(log_mel),
    }


@contextmanager
def one_thread_of_torch():
    """Let torch compute on one thread, and without gradients; without torchaudio do nothing."""
    if find_spec("torchaudio") is None:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(threads)


def is_log_mel(name):
    return "log-mel" in name or name == PLAIN_MEL


def is_other(name):
    return name.startswith(("librosa", "torchaudio"))


def memory(method, X):
    """Return the peak of the allocated bytes, less those of the result."""
    tracemalloc.start()
    try:
        features = method(X)
        return tracemalloc.get_traced_memory()[1] - features.nbytes
    finally:
        tracemalloc.stop()


def compare(rate):
    """Return a row for each method."""
    X = make_heart_sounds(100, duration=5.0, sampling_rate=rate, random_state=0).data
    methods = methods_at(rate) | torchaudio_methods_at(rate)
    order = sorted(methods, key=lambda name: (is_log_mel(name), not is_other(name)))
    methods = {name: methods[name] for name in order}
    results = {name: method(X) for name, method in methods.items()}
    ours = {name: PLAIN_MEL if is_log_mel(name) else PLAIN for name in methods if is_other(name)}
    for name, own in ours.items():  # the settings are the same; in decibels
        np.testing.assert_allclose(results[own], results[name], rtol=1e-5, atol=5e-3)
    seconds = dict.fromkeys(methods, np.inf)
    for _ in range(ROUNDS):
        for name, method in methods.items():
            start = time.process_time()
            method(X)
            seconds[name] = min(seconds[name], (time.process_time() - start) / len(X))
    rows = []
    for name, method in methods.items():
        row = {"rate": rate, "method": name, "microseconds": round(1e6 * seconds[name])}
        row["ratio"] = round(
            seconds[LIBROSA_MEL if is_log_mel(name) else LIBROSA] / seconds[name], 2
        )
        row["spectra"] = round(seconds[name] / seconds[SPECTRUM], 2)
        if not name.startswith("torchaudio"):
            row["memory"] = round(memory(method, X) / 2**20, 1)
        if name in ours:
            row["difference"] = f"{np.abs(results[name] - results[ours[name]]).max():.1e}"
        rows.append(row)
    return rows


def tables():
    """Return the table of docs/benchmarks/speed.md."""
    table = pd.read_csv(OUT, dtype=str, keep_default_na=False)
    columns = {
        "rate": "Hz",
        "microseconds": "microseconds a recording",
        "spectra": ": spectrum",
        "memory": "memory, MiB",
        "difference": "largest difference from ours",
    }
    return {
        ("docs/benchmarks/speed.md", "features"): rows_as_markdown(table.rename(columns=columns))
    }


def main():
    with one_thread_of_torch():
        rows = [row for rate in STFTS for row in compare(rate)]
    pd.DataFrame(rows).to_csv(OUT, index=False)
    print(pd.DataFrame(rows).to_string())
    write_tables(tables())


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
