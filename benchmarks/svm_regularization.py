"""Accuracy and balanced accuracy of the SVM on PASCAL A+B for several values of C.

    python -m benchmarks.svm_regularization path/to/heartbeat-sounds

Writes benchmarks/results/svm_regularization.csv and the table of docs/benchmarks/pascal.md.
"""

import sys

import pandas as pd
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks._tables import RESULTS, rows_as_markdown, write_tables
from sklearn_heartkd import MFCC, LogMelSpectrogram
from sklearn_heartkd.comparison import split_by_subject
from sklearn_heartkd.datasets import load_pascal

OUT = RESULTS / "svm_regularization.csv"


def tables():
    """Return the table of docs/benchmarks/pascal.md."""
    table = pd.read_csv(OUT).astype({"columns": str, "C": str})
    table = table.rename(columns=lambda name: name.replace("_", " "))
    cells = table.map(lambda value: value if isinstance(value, str) else f"{value:.3f}")
    return {("docs/benchmarks/pascal.md", "C of the SVM"): rows_as_markdown(cells)}


def main():
    pascal = load_pascal(sys.argv[1])
    splits = split_by_subject(pascal.target, pascal.groups, 5)
    mfcc, mel = MFCC(output="summary"), LogMelSpectrogram(output="summary")
    features = {"MFCC statistics": mfcc, "MFCC and mel statistics": make_union(mfcc, mel)}
    rows = []
    for name, transformer in features.items():
        X = transformer.fit_transform(pascal.data)
        for C in (1, 10, 100):
            model = make_pipeline(StandardScaler(), SVC(C=C, class_weight="balanced"))
            predicted = cross_val_predict(model, X, pascal.target, cv=splits)
            row = {"features": name, "columns": X.shape[1], "C": C}
            row["accuracy"] = accuracy_score(pascal.target, predicted)
            row["balanced_accuracy"] = balanced_accuracy_score(pascal.target, predicted)
            rows.append(row | {"macro_f1": f1_score(pascal.target, predicted, average="macro")})
    pd.DataFrame(rows).to_csv(OUT, index=False, float_format="%.4f")
    write_tables(tables())


if __name__ == "__main__":
    main()
