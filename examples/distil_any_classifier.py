"""Distil a random forest, and tune temperature and width of the student, on synthetic heart sounds.

A forest of several megabytes teaches a network of 33 kB. The folds are split by subject, and `fit` gets
the subjects too, so that the inner splits (`cv=3` of the teacher) do not cross them.
"""

from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from sklearn_heartkd import DistilledClassifier, LogMelSpectrogram, StudentClassifier
from sklearn_heartkd.datasets import make_heart_sounds

sounds = make_heart_sounds(80, classes=("normal", "murmur"), n_subjects=20, random_state=0)
student = DistilledClassifier(
    RandomForestClassifier(200), StudentClassifier(max_epochs=10), cv=3, random_state=0
)
search = GridSearchCV(
    Pipeline([("features", LogMelSpectrogram()), ("student", student)]),
    {"student__temperature": [1, 2, 4], "student__student__width": [4, 8]},
    cv=StratifiedGroupKFold(3),
)
search.fit(sounds.data, sounds.target, groups=sounds.groups, student__groups=sounds.groups)
print(f"best: {search.best_params_}, accuracy {search.best_score_:.2f}")
