"""What is kept in a joblib memory must be recognised again."""

import pickle


def require_storable(memory, value, what, advice):
    """Raise if `value` cannot be stored, so that a memory could not recognise it.

    Parameters
    ----------
    memory : str or joblib.Memory
        As the user gave it.
    value : object
    what : str
        Names `value` in the message.
    advice : str
        What to do, besides doing without memory.

    Raises
    ------
    ValueError
        Naming `what`.
    """
    try:
        pickle.dumps(value)
    except Exception as error:  # an object may raise anything
        raise ValueError(
            f"memory={memory!r} cannot recognise {what} again ({error}); {advice}, or set memory=None."
        ) from error
