"""The PASCAL Classifying Heart Sounds Challenge, 2011."""

import re
import warnings

import pandas as pd
from sklearn.utils._param_validation import StrOptions, validate_params

from sklearn_heartkd.datasets._assemble import (
    READING_CONSTRAINTS,
    audio_files,
    make_bunch,
    read_table,
    require_two_classes,
    warn_of_disagreement,
)
from sklearn_heartkd.datasets._reading import read_recordings

_CLUSTERING_RATE = 2000  # Hz
_LABEL = re.compile("artifact|extrahls|murmur|normal|extra(?:sy)?stole")
_FOLDER = re.compile(r"[ab]training|training[ab]|[ab]unlabelledtest|set[ab]|noisy")
_NAME = re.compile(
    r"(?P<prefix>[A-Za-z_]*?)_*(?P<key>\d+|(?P<subject>\d+)_\d+_(?P<site>[A-Z])\d*(?:_\d+)?)"
)

# recordings under these numbers are copies of each other (correlation 0.998 and more)
_ONE_PATIENT = {"103": "101", "146": "101"}

_DESCR = """\
PASCAL Classifying Heart Sounds Challenge 2011 (CHSC2011)

Set A was recorded with a phone app (44.1 kHz; normal, murmur, extrahls, artifact), set B with a
digital stethoscope in a hospital (4 kHz; normal, murmur, extrastole). 124 and 461 recordings are
labelled; 52 and 195, the challenge's own test, are not.

Groups: in set B the subject, "b-<number in the file name>", where 101, 103 and 146, which share
recordings, count as one. The patients of set A are unknown:
its groups are clusters of near-identical recordings, "a-<time in the name of the first one>",
and two groups of set A may be the same patient. A recording without a near-duplicate is a group
of its own.

Some classes exist in one set only, the sets differ in their sampling rate, and in set A the
length alone tells classes apart: report A and B beside A+B, and give no model the length.

P. Bentley, G. Nordehn, M. Coimbra, S. Mannor: The PASCAL Classifying Heart Sounds Challenge 2011
(CHSC2011) Results, http://www.peterjbentley.com/heartchallenge/index.html
"""


@validate_params(
    {
        "path": "no_validation",
        "subset": [StrOptions({"ab", "a", "b"})],
        "labelled": ["boolean"],
        **READING_CONSTRAINTS,
    },
    prefer_skip_nested_validation=True,
)
def load_pascal(
    path,
    *,
    subset="ab",
    labelled=True,
    sampling_rate=2000,
    duration=None,
    on_error="raise",
    return_X_y=False,
    n_jobs=None,
    verbose=0,
):
    """Load the recordings of the PASCAL heart-sound challenge of 2011 [1]_.

    Labels come from the file names and, where these carry none, from the folders; labels that
    ``set_a.csv`` and ``set_b.csv`` contradict cause one warning.

    Parameters
    ----------
    path : path-like
        The folder of the recordings: Kaggle's copy (``set_a``, ``set_b``) or the challenge's own
        folders (``Atraining_normal``, ``Training B Normal``, …).
    subset : {"ab", "a", "b"}, default="ab"
        The sets to load: A from a phone app, B from a digital stethoscope.
    labelled : bool, default=True
        True loads the labelled recordings; False loads the others, the challenge's own test.
    sampling_rate : float, default=2000
        The rate in Hz to which all recordings are resampled.
    duration : float, default=None
        Seconds. None keeps every recording at its length; a number crops longer recordings at
        their end and repeats shorter ones, and never pads with zeros.
    on_error : {"raise", "skip"}, default="raise"
        What to do about files that cannot be used: one error, or one warning, that names them.
    return_X_y : bool, default=False
        True returns ``(data, target)`` instead of the Bunch.
    n_jobs : int, default=None
        The number of threads that read; None means 1.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        - data : list of float32 arrays of shape (n_samples,), or float32 array of shape
          (n_recordings, n_samples) if `duration` is given.
        - target : ndarray of str of shape (n_recordings,), or None if ``labelled=False``.
        - groups : ndarray of str of shape (n_recordings,). Subjects in set B; clusters of
          near-identical recordings in set A, whose patients are unknown.
        - sampling_rate : float, in Hz.
        - filenames : ndarray of str of shape (n_recordings,), the paths.
        - frame : DataFrame with the columns file (relative to `path`), set, label, quality
          ("noisy" or ""), subject, site, seconds, original_sampling_rate.
        - target_names : ndarray of str, the classes.
        - DESCR : str.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If `path` is no folder.
    ValueError
        If the folder holds no recordings of the challenge, or of one class only.
    UnreadableRecordingError
        If files cannot be used (see `on_error`).

    References
    ----------
    .. [1] P. Bentley, G. Nordehn, M. Coimbra, S. Mannor, "The PASCAL Classifying Heart Sounds
       Challenge 2011 (CHSC2011) Results",
       http://www.peterjbentley.com/heartchallenge/index.html

    Examples
    --------
    >>> from sklearn_heartkd.datasets import load_pascal
    >>> pascal = load_pascal("path/to/heartbeat-sounds", duration=5.0)  # doctest: +SKIP
    >>> pascal.data.shape  # doctest: +SKIP
    (585, 10000)
    """
    root, files = audio_files(path)
    table = _table(root, files)
    letters = list(subset)
    missing = [letter.upper() for letter in letters if letter not in set(table["set"])]
    if missing:
        raise ValueError(
            f"The folder {str(root)!r} holds no recordings of set {' and '.join(missing)}; give "
            "the folder that holds set_a and set_b or the challenge's own folders, or change "
            f"subset={subset!r}."
        )
    table = table[table["set"].isin(letters) & (table["label"].notna() == labelled)]
    if table.empty:
        raise ValueError(
            f"The folder {str(root)!r} holds no {'' if labelled else 'un'}labelled recordings of "
            f"subset {subset!r}; change labelled={labelled}."
        )
    waveforms, table = read_table(
        table.reset_index(drop=True),
        sampling_rate=sampling_rate,
        on_error=on_error,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    if labelled:
        require_two_classes(table["label"], root)
        _cross_check(root, table)
    table["group"] = _groups(table, waveforms, sampling_rate, n_jobs)
    return make_bunch(
        waveforms,
        table.drop(columns=["key", "folder_label"]),
        sampling_rate=sampling_rate,
        duration=duration,
        return_X_y=return_X_y,
        descr=_DESCR,
    )


def _table(root, files):
    rows = [_describe(file, root) for file in files]
    strangers = [file.name for file, row in zip(files, rows, strict=True) if row is None]
    if len(strangers) == len(files):
        raise ValueError(
            f"None of the {len(files)} sound files in {str(root)!r} is named as in the PASCAL "
            "challenge (such as set_a/normal__201101070538.wav or "
            "Atraining_normal/201101070538.wav); load other recordings with load_audio_folder."
        )
    if strangers:
        examples = ", ".join(strangers[:3]) + (", …" if len(strangers) > 3 else "")
        warnings.warn(
            f"{len(strangers)} sound files in {str(root)!r} are not named as in the PASCAL "
            f"challenge and left out ({examples}).",
            stacklevel=4,
        )
    return pd.DataFrame([row for row in rows if row is not None])


def _describe(file, root):
    """Return what the name and the folders of a file say, or None for a file not of PASCAL."""
    name = _parse_name(file.stem)
    folders = [
        re.sub("[^a-z]", "", part.lower())
        for part in (root.name, *file.relative_to(root).parts[:-1])
    ]
    folders = [folder for folder in folders if _FOLDER.match(folder)]
    if name is None or not (folders or name["prefix"]):
        return None
    from_folder = _label_in(folders[-1]) if folders else None
    from_name = _label_in(name["prefix"])
    return {
        "path": str(file),
        "file": file.relative_to(root).as_posix(),
        "set": name["set"],
        "label": from_name or ("unlabelled" not in name["prefix"] and from_folder) or None,
        "quality": "noisy" if "noisy" in name["prefix"] + "".join(folders[-1:]) else "",
        "subject": name["subject"],
        "site": name["site"],
        "key": name["key"],
        "folder_label": from_folder,
    }


def _parse_name(stem):
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    letter = "a" if match["subject"] is None else "b"
    return {**match.groupdict(), "prefix": match["prefix"].lower(), "set": letter}


def _label_in(text):
    match = _LABEL.search(text)
    return match and match[0].replace("extrasystole", "extrastole")


def _cross_check(root, table):
    """Compare the labels in use with those of the folders and of the challenge's own tables."""
    named = table["folder_label"].notna() & (table["folder_label"] != table["label"])
    warn_of_disagreement(
        "The folders",
        list(table.loc[named, ["file", "label", "folder_label"]].itertuples(index=False)),
    )
    listed: dict[tuple, list] = {}
    for csv in (root / "set_a.csv", root / "set_b.csv"):
        if csv.is_file():
            rows = pd.read_csv(csv, usecols=["fname", "label"], dtype=str).dropna()
            for fname, label in rows.itertuples(index=False):
                name = _parse_name(fname.rsplit("/")[-1].removesuffix(".wav"))
                if name is not None:
                    key = name["set"], name["key"]
                    listed.setdefault(key, []).append((_label_in(name["prefix"]), label))
    disputed = []
    for file, letter, label, key in table[["file", "set", "label", "key"]].itertuples(index=False):
        rows = listed.get((letter, key), [])
        labels = [other for named, other in rows if named == label] or [other for _, other in rows]
        if labels and label not in labels:
            disputed.append((file, label, labels[0]))
    warn_of_disagreement("The tables set_a.csv and set_b.csv", disputed)


def _groups(table, waveforms, sampling_rate, n_jobs):
    """Name the subject of set B and, where it is unknown, the cluster of near-duplicates."""
    from sklearn_heartkd.utils._near_duplicates import find_near_duplicates

    groups = "b-" + table["subject"].replace(_ONE_PATIENT).astype(object)
    in_a = table.index[table["set"] == "a"]
    if len(in_a):
        if sampling_rate == _CLUSTERING_RATE:
            recordings = [waveforms[i] for i in in_a]
        else:
            recordings, _, _ = read_recordings(
                table.loc[in_a, "path"], _CLUSTERING_RATE, n_jobs=n_jobs
            )
        clusters = find_near_duplicates(recordings, _CLUSTERING_RATE).groups
        keys = table.loc[in_a, "key"]
        groups[in_a] = "a-" + keys.groupby(clusters).transform("first")
    return groups
