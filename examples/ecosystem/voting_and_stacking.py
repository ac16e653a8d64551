"""
A network beside an SVM
=======================

The networks are scikit-learn classifiers, so they vote and stack with others.
"""

# %%
# The support vector machine hears the rhythm, the network the autocorrelation. Each subject has two
# recordings, so all inner splits must keep subjects together: with metadata routing, ``groups`` reaches
# the splitter of the calibration. `StackingClassifier` does not pass ``groups`` to its splitter; there,
# ``cv`` is a list of finished splits.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import Autocorrelogram, DenseStudentClassifier, RhythmFeatures
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.metrics import compare_models, oof_frame

sounds = make_heart_sounds(
    300, n_subjects=150, duration=4, murmur_db=-8, snr_db=8, n_devices=4, random_state=0
)
rhythm = RhythmFeatures().fit_transform(sounds.data)
acf = Autocorrelogram(n_mels=8, n_lags=20, output="flat").fit_transform(sounds.data)
X, y, groups = np.hstack([rhythm, acf]), sounds.target, sounds.groups
columns = {"rhythm": slice(0, rhythm.shape[1]), "acf": slice(rhythm.shape[1], X.shape[1])}


def hears(name, *steps):
    """Put the choice of columns in front of a model."""
    return make_pipeline(ColumnTransformer([("only", "passthrough", columns[name])]), *steps)


folds = StratifiedGroupKFold(3)
svc = hears("rhythm", StandardScaler(), SVC(class_weight="balanced"))
svm = CalibratedClassifierCV(svc, cv=folds)
network = hears(
    "acf",
    DenseStudentClassifier(batch_size=32, max_epochs=30, learning_rate=0.02, random_state=0),
)
longer = clone(network).set_params(densestudentclassifier__max_epochs=90)
members = [("svm", svm), ("network", network)]
linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))

# %%
# Three outer folds by subject, too.
frames = []
for fold, (train, test) in enumerate(folds.split(X, y, groups)):
    inner = list(folds.split(X[train], y[train], groups[train]))
    models = {
        "SVM on rhythm": svm,
        "network": network,
        "network, three times\nthe epochs": longer,
        "voting": VotingClassifier(members, voting="soft"),
        "stacking": StackingClassifier(
            [("svm", svc), ("network", network)], LogisticRegression(max_iter=1000), cv=inner
        ),
        "logistic regression\non both": linear,
    }
    for name, model in models.items():
        known = {} if model is linear or name == "stacking" else {"groups": groups[train]}
        with config_context(enable_metadata_routing=True):
            fitted = clone(model).fit(X[train], y[train], **known)
        rows = {"recording": test, "y_true": y[test], "y_pred": fitted.predict(X[test])}
        frames.append(oof_frame(name, seed=0, fold=fold, **rows))
scores = compare_models(
    pd.concat(frames), groups, metrics=["balanced_accuracy"], random_state=0
).set_index("model")

# %%
# The intervals are from a bootstrap over subjects. Together the two are better than each alone; logistic
# regression on the columns of both is no worse.
figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for place, (name, line) in enumerate(scores.iterrows()):
    color = "#0072B2" if name in ("voting", "stacking") else "black"
    ax.plot([line["low"], line["high"]], [place, place], color=color)
    ax.plot(line["value"], place, "o", color=color)
ax.set_yticks(range(len(scores)), scores.index)
ax.invert_yaxis()
ax.set_xlabel("balanced accuracy on new subjects (95 % interval)")
ax.set_title("Two classifiers, alone and together")
plt.show()

# %%
# **What this does not show.** That the combination is worth its size: it holds both models, and a small
# student of the two may do (see the gallery's other section). Scores on synthetic recordings say nothing
# about real ones.
