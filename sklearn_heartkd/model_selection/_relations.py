"""What recordings have in common: copies, and subjects with several of them."""

import numpy as np
import pandas as pd

from sklearn_heartkd.model_selection._report import Finding


def describe_pairs(pairs, table):
    """Return the table of near-duplicates with the names of the files."""
    names = table["file"].to_numpy()
    pairs = pairs.assign(first_file=names[pairs["first"]], second_file=names[pairs["second"]])
    known = pairs["first_label"].notna() & pairs["second_label"].notna()
    pairs["labels_disagree"] &= known
    columns = ["first_file", "second_file", "correlation", "lag_seconds", "overlap_seconds"]
    return pairs[[*columns, "first_label", "second_label", "labels_disagree", "first", "second"]]


def duplicate_findings(duplicates, pairs, table):
    """Return a finding for each cluster of near-duplicates."""
    for cluster in pd.unique(duplicates):
        members = np.flatnonzero(duplicates == cluster)
        if len(members) < 2:
            continue
        chosen = table.iloc[members]
        inside = pairs[np.isin(pairs["first"], members)]
        low, high = inside["correlation"].abs().min(), inside["correlation"].abs().max()
        labels = sorted(chosen["label"].dropna().unique())
        subjects = sorted(chosen["subject"].dropna().unique())
        strength = f"correlation {low:.3f}" + (f" to {high:.3f}" if high - low > 5e-4 else "")
        message = f"{len(members)} recordings are copies or cuts of one another ({strength})"
        if len(subjects) > 1:
            message += f", though they are of different subjects ({', '.join(subjects)})"
        if len(labels) > 1:
            message += f", but are labeled {' and '.join(labels)}"
        yield Finding(
            "conflicting labels" if len(labels) > 1 else "near-duplicates",
            "problem",
            message + ". Keep them in one fold, or keep one of them.",
            chosen["file"].tolist(),
            {
                "smallest_correlation": float(low),
                "largest_correlation": float(high),
                "labels": labels,
                "subjects": subjects,
            },
        )


def subject_findings(table):
    """Return findings on subjects with several labels or recordings."""
    labels = (
        table.dropna(subset=["label"]).groupby("subject")["label"].agg(lambda s: sorted(set(s)))
    )
    several = labels[labels.map(len) > 1]
    if len(several):
        chosen = table[table["subject"].isin(several.index)]
        examples = "; ".join(f"{name}: {', '.join(kinds)}" for name, kinds in several[:5].items())
        yield Finding(
            "subject with several labels",
            "warning",
            f"{len(several)} of {len(labels)} subjects have recordings of several classes "
            f"({examples}{'; …' if len(several) > 5 else ''}). Split by subject.",
            chosen["file"].tolist(),
            {"subjects": {str(name): kinds for name, kinds in several.items()}},
        )
    sizes = table["subject"].value_counts()
    repeated = sizes[sizes > 1]
    if len(repeated):
        yield Finding(
            "several recordings of a subject",
            "warning",
            f"{len(repeated)} of {len(sizes)} subjects have more than one recording, at most "
            f"{sizes.max()}: a random split would measure memory of the patient. Split by subject.",
            values={"subjects": len(sizes), "repeated": len(repeated)},
        )
