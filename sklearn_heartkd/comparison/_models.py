"""The models of a comparison: their names, and which are fitted before others."""

from sklearn_heartkd.classifiers import (
    Conv1DClassifier,
    Conv2DClassifier,
    LSTMClassifier,
    RNNClassifier,
)

TEACHERS = {
    "conv1d": Conv1DClassifier,
    "conv2d": Conv2DClassifier,
    "lstm": LSTMClassifier,
    "rnn": RNNClassifier,
}
NAMES = {
    "dummy": "always the most frequent class",
    "svm": "SVM",
    "forest": "random forest",
    "rhythm": "SVM on rhythm",
    "conv1d": "Conv1D",
    "conv2d": "Conv2D",
    "lstm": "LSTM",
    "rnn": "RNN (GRU)",
    "ensemble": "four networks averaged",
    "mixed": "networks and SVMs averaged",
    "student": "student from scratch",
    "student_pretrained": "student, pretrained",
    "tables": "SVM, forest, logistic averaged",
    "linear": "linear on autocorrelogram",
    "dense": "dense student from scratch",
    "dense_rebalanced": "dense student, re-balanced",
    "student_of_tables": "distilled dense student",
}
# with few labels: tables of statistics, and what a student gains from recordings without labels
FEW = (
    *("dummy", "svm", "forest", "tables", "linear"),
    *("dense", "dense_rebalanced", "student_of_tables"),
)
NAMES |= {f"student_of_{name}": f"student of {NAMES[name]}" for name in TEACHERS}
NAMES["student_of_ensemble"] = "student of all four"
PRETRAINED = "student_pretrained"  # without pretraining it would be the student from scratch
REFINED = "+kmeans"
DISTILLED = "student_of_"
# in each stage the longest fits come first, so that no process waits long for the last one
FIRST = (
    *("conv2d", PRETRAINED, "student", "forest", "rnn", "lstm", "conv1d"),
    *("tables", "dense", "svm", "rhythm", "linear", "dummy"),
)
SECOND = (
    *("student_of_tables", "dense_rebalanced"),
    "student_of_ensemble",
    *(f"student_of_{teacher}" for teacher in TEACHERS),
    "ensemble",
    "mixed",
)


def sources_of(model):
    """Return the models that must be fitted before `model`."""
    if model not in SECOND:
        return ()
    if model == "dense_rebalanced":
        return ("dense",)
    if model == "mixed":
        return (*TEACHERS, "svm", "rhythm")
    source = model.removeprefix("student_of_")
    return tuple(TEACHERS) if source == "ensemble" else (source,)


def variants_of(model):
    """Return the models that one fit gives: the model, and its refinement if it hears anything."""
    return (model,) if model == "dummy" else (model, model + REFINED)


def is_pretrained(model):
    """Whether a recipe with pretraining pretrains a model."""
    students = model.startswith(DISTILLED) and model != "student_of_tables"
    return model in TEACHERS or model == PRETRAINED or students


def check_models(models):
    """Return the chosen models and the teachers that they need, in the order of their fits.

    None is those of the study on PASCAL, "all" is all.
    """
    known = (*FIRST, *SECOND)
    if models is None:
        of_both = ("svm", "forest", "dummy")
        models = [model for model in known if model not in FEW or model in of_both]
    elif "all" in models:
        models = known
    if unknown := [model for model in models if model not in known]:
        raise ValueError(f"Unknown models {unknown}; known are all, {', '.join(known)}.")
    needed = {source for model in models for source in sources_of(model)}
    return tuple(model for model in known if model in {*models, *needed})


def baseline_of(models):
    """Return the model that others are compared with: a student that only lacks a teacher."""
    return next((model for model in ("dense", PRETRAINED, "student") if model in models), models[0])


def control_of(model, models):
    """Return the student that only lacks the teacher of a distilled one, or else the baseline."""
    base = model.removesuffix(REFINED)
    if base.startswith(DISTILLED) and base != "student_of_tables":
        models = [other for other in models if other != "dense"] or models
    return baseline_of(models)


def kind_of(model):
    """Return the kind of a model, for the colors of pictures."""
    if model in TEACHERS or model in ("ensemble", "mixed", "tables"):
        return "teacher"
    if model in ("student", "dense"):
        return "student from scratch"
    if model == "dense_rebalanced":
        return "re-balanced student"
    if model == PRETRAINED:
        return "pretrained student"
    return "distilled student" if model.startswith(DISTILLED) else "classical"


def display_name(model: str) -> str:
    """Return the name of a model in tables and pictures.

    It is a short description, such as "student of Conv2D" for `student_of_conv2d`. Other models are
    shown as they are called.

    Parameters
    ----------
    model : str
        A model of :func:`compare`, with or without ``"+kmeans"``, or another one.

    Returns
    -------
    str
        The name.

    See Also
    --------
    render : The table of a comparison as text.

    Examples
    --------
    >>> from sklearn_heartkd.comparison import display_name
    >>> display_name("student_of_conv2d+kmeans")
    'student of Conv2D + k-means'
    """
    base = model.removesuffix(REFINED)
    if base not in NAMES:
        return model
    return NAMES[base] + (" + k-means" if model != base else "")
