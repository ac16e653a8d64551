"""The recordings that are given to a pretraining: their check."""

from sklearn.utils import check_array

from sklearn_heartkd.utils._recordings import as_sequence
from sklearn_heartkd.utils._validation import differ_in_shape


def check_features(features, rows, *, name, again):
    """Return features as an array of shape (n, n_channels, n_frames), of the training data's kind.

    Parameters
    ----------
    features : array-like
    rows : Batch
        The training data. They give the shape and the precision.
    name : str
        Of the features, in messages.
    again : str
        What to set where a model file has left them out.

    Raises
    ------
    ValueError
        If they are not finite, none, of another shape than the training data, or of several shapes.
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
        dtype=rows.x.cpu().numpy().dtype,
        order="C",
        ensure_2d=False,
        allow_nd=True,
        ensure_min_samples=0,
        input_name=name,
    )
    if len(features) == 0:
        raise ValueError(
            f"{name} holds no recordings (its shape is {features.shape}), as in a model that "
            f"save_model wrote; set {again}."
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
