"""The PASCAL Classifying Heart Sounds Challenge, 2011."""

import hashlib
import json
import re
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from sklearn.utils._param_validation import StrOptions

from sklearn_heartkd.datasets._assemble import (
    Reading,
    audio_files,
    make_bunch,
    read_table,
    require_two_classes,
    validated,
    with_duration,
)
from sklearn_heartkd.datasets._layouts import none_named_so
from sklearn_heartkd.datasets._listing import drop_copies, listing, warn_of_left_out
from sklearn_heartkd.utils._files import require_regular_file
from sklearn_heartkd.utils._text import printable
from sklearn_heartkd.utils._warnings import warn

_CLUSTERING_RATE = 2000  # Hz
# of set A: hashes of the samples, and positions of the near-duplicates among them
_COPIES = Path(__file__).with_name("_pascal_copies.json")
_LABELS = ("artifact", "extrahls", "extrastole", "murmur", "normal")
_UNLABELLED = "unlabelled"
_SPELLINGS = {"extrasystole": "extrastole", **{label: label for label in _LABELS}}
_DEVICES = {"a": "iStethoscope Pro", "b": "DigiScope"}

# folders such as set_a, Atraining_normal, Training B Normal, Bunlabelledtest
_SET_FOLDER = re.compile(r"(?:data)?set ?[ab]\b")
_LABEL_FOLDER = re.compile(r"[ab] ?training\b|training ?[ab]\b|[ab]? ?unlabelled ?test")
_PLACE = re.compile(r"[ab]?training[ab]?|[ab]|test|noisy")  # words that are not labels
_NAME = re.compile(
    r"(?P<prefix>[A-Za-z_]*?)_*(?P<key>\d+|(?P<subject>\d+)_\d+_(?P<site>[A-Z])\d*(?:_\d+)?)"
)

# recordings under these numbers are copies of each other (correlation 0.998 and more)
_ONE_PATIENT = {"103": "101", "146": "101"}

_DESCR = """\
PASCAL Classifying Heart Sounds Challenge 2011 (CHSC2011)

Set A was recorded with a phone app (44.1 kHz; normal, murmur, extrahls, artifact), set B with a
digital stethoscope in a hospital (4 kHz; normal, murmur, extrastole). 124 and 461 recordings are
labeled; 52 and 195, the challenge's own test, are not.

Groups: in set B the subject, "b-<number in the file name>", where 101, 103 and 146, which share
recordings, count as one. The patients of set A are unknown:
its groups are clusters of near-identical recordings, "a-<time in the name of the first one>",
and two groups of set A may be the same patient. A recording without a near-duplicate is a separate
group.

Some classes exist in one set only, the sets differ in their sampling rate, and in set A the
length alone tells classes apart: report A and B beside A+B, and give no model the length.

P. Bentley, G. Nordehn, M. Coimbra, S. Mannor: The PASCAL Classifying Heart Sounds Challenge 2011
(CHSC2011) Results, http://www.peterjbentley.com/heartchallenge/index.html
"""


@validated(subset=[StrOptions({"ab", "a", "b"})], labeled=["boolean"])
def load_pascal(
    path: str | PathLike[str],
    *,
    subset: str = "ab",
    labeled: bool = True,
    sampling_rate: float = 2000,
    duration: float | None = None,
    on_error: str = "raise",
    channel: str | int = "mean",
    return_X_y: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Any:
    """Load the recordings of the PASCAL heart-sound challenge of 2011.

    Labels come from the file names or, where these have none, from the folders. Where folders,
    ``set_a.csv`` or ``set_b.csv`` give another label, one warning shows it. A recording that is there
    twice under one name, as where a folder was unpacked into itself, is loaded once.

    Parameters
    ----------
    path : path-like
        The folder of the recordings: Kaggle's copy (``set_a``, ``set_b``) or the challenge's own
        folders (``Atraining_normal``, ``Training B Normal``, …).
    subset : {"ab", "a", "b"}, default="ab"
        The sets to load: A from a phone app, B from a digital stethoscope.
    labeled : bool, default=True
        True loads the labeled recordings; False loads the others, the challenge's own test.
    sampling_rate, duration, on_error, channel, return_X_y, n_jobs, verbose : optional
        As in :func:`load_audio_folder`.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        As of :func:`load_audio_folder`, with

        - target : ndarray of str of shape (n_recordings,), or None if ``labeled=False``.
        - groups : ndarray of str of shape (n_recordings,). Subjects in set B; clusters of
          near-identical recordings in set A, whose patients are unknown.
        - frame : DataFrame with the columns file (relative to `path`), set, label, quality
          ("noisy" or ""), subject, site, device, seconds, original_sampling_rate.

    Raises
    ------
    ValueError
        If the folder holds recordings of less than two classes, or a name has an unknown label.

    See Also
    --------
    load_physionet2016 : Load the PhysioNet/CinC challenge of 2016.
    load_audio_folder : Load a folder that holds one folder for each class.

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
            "the folder that holds set_a and set_b or the challenge's own folders, or choose "
            f"another subset than {subset!r}."
        )
    table = table[table["set"].isin(letters) & (table["label"].notna() == labeled)]
    if table.empty:
        raise ValueError(
            f"The folder {str(root)!r} holds no {'' if labeled else 'un'}labeled recordings of "
            f"subset {subset!r}; choose another subset or labeled={not labeled}."
        )
    reading = Reading(sampling_rate, duration, on_error, channel, n_jobs, verbose)
    waveforms, table = read_table(table.reset_index(drop=True), reading)
    if labeled:
        require_two_classes(table["label"], root)
        _cross_check(root, table)
    table["group"] = _groups(table, waveforms, reading)
    table = table.drop(columns=["key", "folder_label"])
    bunch = make_bunch(
        with_duration(waveforms, reading.sampling_rate, reading.duration),
        table,
        sampling_rate,
        _DESCR,
    )
    return (bunch.data, bunch.target) if return_X_y else bunch


def _table(root, files):
    """Describe the recordings by their names; the same one in two folders counts once."""
    rows = [_describe(file, root) for file in files]
    strangers = [file.name for file, row in zip(files, rows, strict=True) if row is None]
    if len(strangers) == len(files):
        raise ValueError(none_named_so("pascal", root, files))
    warn_of_left_out(strangers, root, "not named as in the PASCAL challenge")
    table = pd.DataFrame([row for row in rows if row is not None])
    return drop_copies(table, table[["set", "key", "label", "quality"]], root)


def _describe(file, root):
    """Return what the name and the folders of a file tell, or None for a file not of PASCAL."""
    name = _NAME.fullmatch(file.stem)
    if name is None:
        return None
    relative = file.relative_to(root)
    prefix = name["prefix"].lower()
    from_name = _label_in(prefix, relative)
    if from_name is None:
        folders = _label_folders((root.name, *relative.parts[:-1]), below_set=True)
    else:
        folders = _label_folders(relative.parts[:-1], below_set=False)
    in_folders = [_label_in(folder, relative) for folder in folders]
    from_folder = next((label for label in reversed(in_folders) if label), None)
    label = from_name or from_folder
    if label is None:
        return None
    return {
        "path": str(file),
        "file": relative.as_posix(),
        "set": _set_of(name),
        "label": None if label == _UNLABELLED else label,
        "quality": "noisy" if any("noisy" in text for text in (prefix, *folders)) else "",
        "subject": name["subject"],
        "site": name["site"],
        "device": _DEVICES[_set_of(name)],
        "key": name["key"],
        "folder_label": None if from_folder == _UNLABELLED else from_folder,
    }


def _set_of(name):
    return "a" if name["subject"] is None else "b"


@lru_cache
def _label_folders(parts, *, below_set):
    """Return the folders that tell a label, from the outermost; with `below_set` all below a set's."""
    found: list[str] = []
    in_set = False
    for part in map(str.lower, parts):
        words = " ".join(re.findall("[a-z]+", part))
        if _SET_FOLDER.match(words):
            in_set = True
        elif _LABEL_FOLDER.match(words) or (below_set and (in_set or found)):
            found.append(part)
    return found


def _label_in(text, file):
    """Return the label in the words of a name or folder, or None; every word must be known."""
    labels = set()
    for word in re.findall("[a-z]+", text.lower()):
        label = _SPELLINGS.get(word.removeprefix("noisy"))
        if label is not None:
            labels.add(label)
        elif _UNLABELLED in word:
            labels.add(_UNLABELLED)
        elif not _PLACE.fullmatch(word):
            raise ValueError(
                f"{file.as_posix()!r} has the unknown label {word!r}. Labels are "
                f"{', '.join(_LABELS)}, also with 'noisy' before them; rename or remove such files, or "
                "load other recordings with load_audio_folder (layout 'folder')."
            )
    if len(labels) > 1:
        raise ValueError(
            f"{file.as_posix()!r} has the labels {' and '.join(sorted(labels))}; rename it."
        )
    return labels.pop() if labels else None


def _cross_check(root, table):
    """Compare the labels in use with those of the folders and of the challenge's own tables."""
    named = table["folder_label"].notna() & (table["folder_label"] != table["label"])
    disputed = table.loc[named, ["file", "label", "folder_label"]].itertuples(index=False)
    _warn_of_disagreement("The folders", list(disputed))
    listed: dict[tuple, list] = {}
    for csv in (root / "set_a.csv", root / "set_b.csv"):
        for file, label in _read_labels(csv):
            name = _NAME.fullmatch(re.split(r"[/\\]", file)[-1].rpartition(".")[0])
            if name is not None:
                listed.setdefault((_set_of(name), name["key"]), []).append(label)
    used = table[["file", "label", "set", "key"]].itertuples(index=False)
    disputed = [
        (file, label, listed[letter, key][0])
        for file, label, letter, key in used
        if label not in listed.get((letter, key), [label])
    ]
    _warn_of_disagreement("The tables set_a.csv and set_b.csv", disputed)


def _warn_of_disagreement(source, pairs):
    if pairs:
        disputed = [f"{name} is {used!r}, not {other!r}" for name, used, other in pairs]
        warn(
            f"{source} disagree with the labels in use on {len(pairs)} files ({listing(disputed)})."
        )


def _read_labels(csv):
    """Return the names and labels in a table of the challenge; a damaged one causes a warning."""
    if not csv.exists():
        return []
    try:
        require_regular_file(csv)
        rows = pd.read_csv(csv, usecols=["fname", "label"], dtype=str).dropna()
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        warn(
            f"{printable(csv)} cannot be read, so its labels are not compared with those in use "
            f"({printable(reason)})."
        )
        return []
    labels = rows["label"].str.strip().str.lower()
    return list(zip(rows["fname"], labels.map(lambda x: _SPELLINGS.get(x, x)), strict=True))


def _groups(table, waveforms, reading):
    """Name the subject of set B and, where it is unknown, the cluster of near-duplicates."""
    from sklearn_heartkd.utils._near_duplicates import connected_groups

    groups = "b-" + table["subject"].replace(_ONE_PATIENT).astype(object)
    in_a = table.index[table["set"] == "a"]
    if len(in_a):
        pairs = _known_pairs(table.loc[in_a, "path"])
        if pairs is None:
            pairs = _searched_pairs(table.loc[in_a], [waveforms[i] for i in in_a], reading)
        clusters = connected_groups(len(in_a), *np.array(pairs, dtype=int).reshape(-1, 2).T)
        groups[in_a] = "a-" + table.loc[in_a, "key"].groupby(clusters).transform("first")
    return groups


def _known_pairs(paths):
    """Look up the near-duplicates among files of the challenge; None if one of them is changed."""
    copies = json.loads(_COPIES.read_text())
    known = {content: i for i, content in enumerate(copies["recordings"])}
    try:
        order = {known[sample_hash(path)]: i for i, path in enumerate(paths)}
    except (KeyError, soundfile.LibsndfileError):
        return None
    if len(order) < len(paths):
        return None
    return [(order[i], order[j]) for i, j in copies["pairs"] if i in order and j in order]


def _searched_pairs(table, waveforms, reading):
    from sklearn_heartkd.utils._near_duplicates import find_near_duplicates

    if reading.sampling_rate != _CLUSTERING_RATE:  # which must not change the groups
        at_rate = reading._replace(sampling_rate=_CLUSTERING_RATE, verbose=0)
        waveforms, _ = read_table(table[["path"]], at_rate)
    found = find_near_duplicates(waveforms, _CLUSTERING_RATE, n_jobs=reading.n_jobs)
    return found.pairs[["first", "second"]].to_numpy()


def sample_hash(path):
    """Return a hash of a file's length and of two parts of its samples; the header does not matter."""
    with soundfile.SoundFile(path) as sound:
        digest = hashlib.blake2b(str(sound.frames).encode(), digest_size=8)
        for start in (0, sound.frames // 2):
            sound.seek(start)
            digest.update(sound.read(4096, dtype="int16").tobytes())
    return digest.hexdigest()
