"""
One model as ONNX and as C
==========================

Export a student to both forms, compile the C file, and compare probabilities and sizes.
"""

# %%
# Train and export
# ----------------
#
# Both files take the raw waveform: the log-mel bands are part of the file. Each export is compared with
# the model before it is written.
import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile
from sklearn.pipeline import make_pipeline

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import export_c, export_onnx
from sklearn_heartkd.deployment.runtime import HeartSoundModel

options = {"classes": ("normal", "murmur"), "duration": 3}
training = make_heart_sounds(80, n_subjects=40, random_state=0, **options)
test = make_heart_sounds(40, n_subjects=40, random_state=1, **options)
student = StudentClassifier(max_epochs=15, random_state=0)
model = make_pipeline(LogMelSpectrogram(), student).fit(training.data, training.target)

directory = tempfile.TemporaryDirectory()
folder = Path(directory.name)
export_onnx(model, folder / "student.onnx", training.data[:8])
export_onnx(model, folder / "student_int8.onnx", training.data, quantize="int8")
written = export_c(model, folder / "student.c", training.data[:8])
print(f"the C code needs {written.state_bytes / 1024:.0f} kB of working memory")

# %%
# The same recordings through each form
# -------------------------------------
#
# A device records 16-bit samples, so all forms get those. The C file is compiled to a small program that
# reads a wav file; without gcc, this part is left out.
samples = np.round(test.data * 32767).astype(np.int16)
waveforms = samples.astype(np.float32) / 32768
reference = model.predict_proba(waveforms)
answers = {}
for name, file in (("ONNX", "student.onnx"), ("ONNX, 8 bits", "student_int8.onnx")):
    loaded = HeartSoundModel.load(folder / file)
    answers[name] = np.array([loaded.predict_proba(row) for row in waveforms])

sizes = {"ONNX": folder / "student.onnx", "ONNX, 8 bits": folder / "student_int8.onnx"}
if shutil.which("gcc"):
    compiler = ["gcc", "-std=c99", "-Os", str(written.source)]
    program, compiled = folder / "student", folder / "student.o"
    subprocess.run([*compiler, "-DHEARTKD_MAIN", "-o", str(program), "-lm"], check=True)
    subprocess.run([*compiler, "-c", "-o", str(compiled)], check=True)
    rows = []
    for row in samples:
        soundfile.write(folder / "recording.wav", row, 2000, subtype="PCM_16")
        done = subprocess.run([program, folder / "recording.wav"], capture_output=True, text=True)
        line = next(x for x in done.stdout.splitlines() if x.startswith("recording"))
        rows.append([float(part.split()[1]) for part in line.split("\t")[1:]])
    answers["C"], sizes["C, compiled"] = np.array(rows), compiled

differences = {name: np.abs(found - reference).max(axis=1) for name, found in answers.items()}
sizes = {name: path.stat().st_size / 1000 for name, path in sizes.items()}
directory.cleanup()
same = {
    name: np.mean(found.argmax(axis=1) == reference.argmax(axis=1))
    for name, found in answers.items()
}
largest = {name: f"{found.max():.0e}" for name, found in differences.items()}
pd.DataFrame({"largest difference": largest, "same class": same}).round(2)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3), layout="constrained")
colors = ["#0072B2", "#E69F00", "#009E73"][: len(sizes)]
bars = left.barh(list(sizes), list(sizes.values()), color=colors)
left.bar_label(bars, fmt="%.0f kB", padding=3)
left.set(title="Size of the file", xlabel="kB", xlim=(0, 65))
left.invert_yaxis()
jitter = np.linspace(-0.2, 0.2, len(samples))
for row, (name, color) in enumerate(zip(differences, colors, strict=True)):
    right.scatter(np.maximum(differences[name], 1e-8), row + jitter, s=12, color=color)
right.set(xscale="log", xlabel="difference of a probability", title="Against the model in Python")
right.set(yticks=range(len(differences)), yticklabels=list(differences))
right.invert_yaxis()
plt.show()

# %%
# ONNX and C differ from the model by rounding; 8 bits change probabilities more, and that needs a look at
# real recordings. The ONNX file also needs onnxruntime, which is much larger than the file. The size of
# the compiled C is that of this machine; time and energy on a device are not measured here, see
# :doc:`/benchmarks/device-costs`.
