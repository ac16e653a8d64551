"""Out-of-fold predictions as a data frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length

OOF_COLUMNS = ("model", "seed", "fold", "recording", "y_true", "y_pred")


def oof_frame(
    model: str,
    *,
    seed: int,
    fold: int,
    recording: ArrayLike,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_proba: ArrayLike | None = None,
    classes: ArrayLike | None = None,
) -> pd.DataFrame:
    """Put the predictions of one test fold into the data frame that `compare_models` takes.

    Join the frames of several folds, seeds and models with :func:`pandas.concat`.

    Parameters
    ----------
    model : str
        Name of the model.
    seed, fold : int
        Seed of the run and number of the test fold.
    recording : array-like of shape (n_recordings,)
        Indices of the recordings in the data.
    y_true, y_pred : array-like of shape (n_recordings,)
        True and predicted labels.
    y_proba : array-like of shape (n_recordings, n_classes), default=None
        Probabilities.
    classes : array-like of shape (n_classes,), default=None
        The class of each column of `y_proba`.

    Returns
    -------
    pandas.DataFrame
        One row per recording, with the columns model, seed, fold, recording, y_true, y_pred and
        `p_<class>` for each class.

    See Also
    --------
    compare_models : Compare the models.

    Examples
    --------
    >>> from sklearn_heartkd.metrics import oof_frame
    >>> oof_frame("svm", seed=0, fold=1, recording=[7], y_true=["murmur"], y_pred=["normal"],
    ...           y_proba=[[0.25, 0.75]], classes=["murmur", "normal"])
      model  seed  fold  recording  y_true  y_pred  p_murmur  p_normal
    0   svm     0     1          7  murmur  normal      0.25      0.75
    """
    check_consistent_length(recording, y_true, y_pred)
    frame = pd.DataFrame(
        {"seed": seed, "fold": fold, "recording": recording, "y_true": y_true, "y_pred": y_pred}
    )
    frame.insert(0, "model", model)
    if y_proba is not None:
        columns = np.asarray([] if classes is None else classes).tolist()
        if np.shape(y_proba) != (len(frame), len(columns)):
            raise ValueError(
                f"y_proba has shape {np.shape(y_proba)}; give a row per recording, and the class of "
                "each column as classes=."
            )
        for label, column in zip(columns, np.asarray(y_proba).T, strict=True):
            frame[f"p_{label}"] = column
    return frame


def check_oof(oof_predictions):
    """Check the long frame; return it with coded labels, the models and the classes."""
    missing = [name for name in OOF_COLUMNS if name not in oof_predictions]
    if missing:
        raise ValueError(f"oof_predictions lacks the column {missing[0]!r}; see oof_frame.")
    if len(oof_predictions) == 0:
        raise ValueError("oof_predictions is empty; give at least one fold.")
    models = oof_predictions["model"].drop_duplicates().tolist()
    # in the order of the recordings, so that the draws do not depend on the order of the rows
    frame = oof_predictions.sort_values("recording", kind="stable", ignore_index=True)
    key = ["model", "seed", "recording"]
    if (twice := frame.duplicated(key)).any():
        model, seed, recording = frame.loc[twice.idxmax(), key]
        raise ValueError(
            f"Recording {recording} is predicted twice by model {model!r} with seed {seed}; "
            "keep one prediction per model, seed and recording."
        )
    truth = frame.groupby("recording")["y_true"].nunique()
    if (truth > 1).any():
        raise ValueError(
            f"Recording {truth.idxmax()} has several true labels; "
            "the models were evaluated on different data."
        )
    sizes = frame.groupby(["model", "seed"], sort=False).size()
    if (sizes < len(truth)).any():
        model, seed = sizes.idxmin()
        raise ValueError(
            f"Model {model!r} with seed {seed} predicts {sizes.min()} of {len(truth)} recordings; "
            "all models need predictions for the same ones."
        )
    if (frame.groupby(["seed", "recording"])["fold"].nunique() > 1).any():
        raise ValueError(
            "The models were split into different folds with the same seed; "
            "run them on the same splits, or give other splits another seed."
        )
    classes = pd.unique(pd.concat([frame["y_true"], frame["y_pred"]]))
    classes = np.array(sorted(classes), dtype=object)
    codes = {label: code for code, label in enumerate(classes)}
    frame["true_code"] = frame["y_true"].map(codes).astype(int)
    frame["pred_code"] = frame["y_pred"].map(codes).astype(int)
    return frame, models, classes


def subject_numbers(frame, groups):
    """Return the number of the subject of each row; see `groups` of `compare_models`."""
    if groups is None:
        subjects = frame["recording"]
    elif isinstance(groups, str):
        if groups not in frame:
            raise ValueError(f"groups={groups!r} is not a column of oof_predictions.")
        subjects = frame[groups]
    elif isinstance(groups, Mapping):
        subjects = frame["recording"].map(groups)
    else:
        groups = np.asarray(groups)
        if frame["recording"].max() >= len(groups) or frame["recording"].min() < 0:
            raise ValueError(
                f"groups has {len(groups)} entries, but recording goes up to "
                f"{frame['recording'].max()}; give the subject of every recording of the data."
            )
        subjects = pd.Series(groups[frame["recording"]])
    if subjects.isna().any():
        recording = frame["recording"][subjects.isna().to_numpy()].iloc[0]
        raise ValueError(f"Recording {recording} has no subject in groups; give one for each.")
    return pd.factorize(subjects)[0]
