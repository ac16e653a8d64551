"""Four networks teach one student on recordings of different length.

Windows of 5 s are cut from each recording (a shorter one is looped), and the probabilities of the
windows are averaged. `heartkd train` fits the same kind of model, with a single Conv2D as teacher, a start
from 2,000 synthetic recordings and more epochs; its option `--teacher ensemble` selects these four.
"""

from sklearn.metrics import classification_report

from sklearn_heartkd.comparison import make_deployable, split_by_subject
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(90, n_subjects=30, duration=8, random_state=0)
recordings = [row[: 8000 + 80 * i] for i, row in enumerate(sounds.data)]
training, test = split_by_subject(sounds.target, sounds.groups, folds=3)[0]

model = make_deployable("ensemble", max_epochs=10, n_synthetic=0, random_state=0)
model.fit(
    [recordings[i] for i in training], sounds.target[training], groups=sounds.groups[training]
)
predicted = model.predict([recordings[i] for i in test])
print(classification_report(sounds.target[test], predicted, zero_division=0))
