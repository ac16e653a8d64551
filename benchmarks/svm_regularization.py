"""How much the regularisation of the SVM moves accuracy against balanced accuracy on PASCAL A+B.

python benchmarks/svm_regularization.py path/to/heartbeat-sounds
"""

import sys
from pathlib import Path

import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_heartkd import MFCC, LogMelSpectrogram
from sklearn_heartkd.comparison import split_by_subject
from sklearn_heartkd.datasets import load_pascal


def main():
    pascal = load_pascal(sys.argv[1])
    splits = split_by_subject(pascal.target, pascal.groups, 5)
    features = {
        "MFCC statistics": MFCC(output="summary"),
        "MFCC and mel statistics": make_union(
            MFCC(output="summary"), LogMelSpectrogram(output="summary")
        ),
    }
    rows = []
    for name, transformer in features.items():
        X = transformer.fit_transform(pascal.data)
        for C in (1, 10, 100):
            model = make_pipeline(StandardScaler(), SVC(C=C, class_weight="balanced"))
            predicted = cross_val_predict(model, X, pascal.target, cv=splits)
            rows.append(
                {
                    "features": name,
                    "columns": X.shape[1],
                    "C": C,
                    "accuracy": accuracy_score(pascal.target, predicted),
                    "balanced_accuracy": balanced_accuracy_score(pascal.target, predicted),
                    "macro_f1": f1_score(pascal.target, predicted, average="macro"),
                }
            )
    table = pd.DataFrame(rows)
    out = Path(__file__).parent / "results" / "svm_regularization.csv"
    table.to_csv(out, index=False, float_format="%.4f")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
