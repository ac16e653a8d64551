"""What both pretrainings share: the check of the recordings they are given, and the training."""

from sklearn.utils import check_array

from sklearn_heartkd.classifiers._training import train
from sklearn_heartkd.utils._validation import as_sequence, differ_in_shape


def check_features(features, rows, *, name, again):
    """Return features as an array of shape (n, n_channels, n_frames), like the training data in `rows`.

    Errors call the features `name`; `again` is what to set if a model file has left them out.
    """
    shape = tuple(rows.x.shape[1:])
    features = as_sequence(features)
    if differ_in_shape(features):
        raise ValueError(
            f"{name} holds recordings of different shapes; give features of recordings that are "
            "equally long."
        )
    features = check_array(
        features,
        dtype=rows.x[:0].cpu().numpy().dtype,
        order="C",
        ensure_2d=False,
        allow_nd=True,
        ensure_min_samples=0,
        input_name=name,
    )
    if len(features) == 0:
        raise ValueError(
            f"{name} is empty (its shape is {features.shape}), as in a model from a file of save_model; "
            f"set {again}."
        )
    is_table = shape[1] == 1
    if features.shape[1:] not in ({shape, shape[:1]} if is_table else {shape}):
        wanted = (
            f"{shape[0]} features" if is_table else f"{shape[0]} channels and {shape[1]} frames"
        )
        raise ValueError(
            f"{name} holds recordings of shape {features.shape[1:]}, but the training data has "
            f"{wanted}; give features of the same kind and length."
        )
    return features.reshape(-1, *shape)


def pretrain(module, objective, rows, **settings):
    """Train `module` in place for all epochs; return number and loss of each."""
    history = train(module, objective, rows, description="pretraining", **settings)
    return [{"epoch": row["epoch"], "loss": row["train_loss"]} for row in history]
