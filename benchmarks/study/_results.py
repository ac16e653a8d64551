"""The csv files of the study: written as the fits come, and read by the report.

For each ground, `fits_<ground>.csv` holds the scores of every fit on its test part; for each part,
`predictions_<part>.csv.gz` the out-of-fold predictions, with the one probability that is scored, and
`recordings_<part>.csv` what they are of.
"""

import json

import numpy as np
import pandas as pd

from benchmarks.study._fitting import read_finished
from benchmarks.study._scores import HARD
from sklearn_heartkd.comparison._models import REFINED
from sklearn_heartkd.comparison._table import score

_NOT_STUDIED = tuple(
    name + refined for name in ("svm", "rhythm", "mixed") for refined in ("", REFINED)
)

# all that the scores need; the comparison keeps every probability of its models
_SCORED = ("model", "seed", "fold", "recording", "y_pred", f"p_{HARD}")


class Results:
    """A folder of results.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, result):
        """Add the scores of one fit, as it comes."""
        path = self.folder / f"fits_{result['part'].iloc[0]}.csv"
        rows = scores_of_fits([result])
        rows.to_csv(path, mode="a", header=not path.exists(), index=False, float_format="%.6g")

    def collect(self, ground):
        """Add all that is finished on a ground to what is there, which stays.

        So a stage can be added on another machine, which holds no fits of the former ones. Where it fits
        one of them anew, for a comparison or as a teacher, the former result counts: on another processor
        the same seed gives a network that differs in the last digits, and in a recording or two. To
        measure anew, remove the rows.
        """
        finished = read_finished(ground)
        if not finished:
            return
        path = self.folder / f"fits_{ground.name}.csv"
        new = scores_of_fits(finished)
        fits = _kept_of(path, new).sort_values(["model", "seed", "fold"])
        discarded = _others_than(fits, new)
        if discarded:
            print(
                f"{path.name} has other scores for {discarded} fits of this machine, and keeps them; "
                "remove these rows to measure anew.",
                flush=True,
            )
        fits.to_csv(path, index=False, float_format="%.6g")
        if ground.name.startswith("inner_"):
            return
        recordings = pd.DataFrame(
            {"subject": np.asarray(ground.data.groups), "y_true": np.asarray(ground.data.target)}
        )
        if "set" in ground.data.frame:
            recordings["set"] = ground.data.frame["set"].to_numpy()
        recordings.to_csv(self.folder / f"recordings_{ground.name}.csv", index_label="recording")
        predictions = pd.concat(finished, ignore_index=True)
        predictions = predictions[~predictions["model"].isin(_NOT_STUDIED)]
        path = self.folder / f"predictions_{ground.name}.csv.gz"
        predictions = _kept_of(path, predictions[[c for c in _SCORED if c in predictions]])
        predictions.sort_values(["model", "seed", "recording"]).to_csv(
            path,
            index=False,
            float_format="%.3g",
            compression={"method": "gzip", "mtime": 0},
        )

    def fits(self, ground):
        """Return the scores of the fits on a ground, named."""
        return pd.read_csv(self.folder / f"fits_{ground}.csv")

    def seconds(self):
        """Return how long the study's own fits took together, and how many others have no time."""
        fits = pd.concat(
            [
                pd.read_csv(path, usecols=["model", "seconds"])
                for path in sorted(self.folder.glob("fits_*.csv"))
            ]
        )
        # the time of a refined model is that of the fit which it is part of
        fits = fits[~fits["model"].str.endswith(REFINED) & ~fits["model"].isin(_NOT_STUDIED)]
        return fits["seconds"].sum(), int(fits["seconds"].isna().sum())

    def parts(self, parts):
        """Return those parts of which there are predictions."""
        return [p for p in parts if (self.folder / f"predictions_{p}.csv.gz").exists()]

    def predictions(self, part):
        """Return the predictions of the models and seeds whose folds are all finished."""
        recordings = pd.read_csv(
            self.folder / f"recordings_{part}.csv", index_col="recording", dtype={"subject": str}
        )
        predictions = pd.read_csv(self.folder / f"predictions_{part}.csv.gz")
        predictions = predictions.join(recordings, on="recording")
        n_found = predictions.groupby(["model", "seed"])["recording"].transform("size")
        return predictions[n_found == len(recordings)].reset_index(drop=True)

    def settle(self, **settings):
        """Note what the study is of; raise ValueError if the folder holds a study of something else."""
        path = self.folder / "settings.json"
        if path.exists() and (there := json.loads(path.read_text())) != settings:
            raise ValueError(
                f"{path.parent} holds a study with {there}, not {settings}; choose another --results or "
                "delete it."
            )
        path.write_text(json.dumps(settings) + "\n")

    def settings(self):
        """Return what `settle` noted."""
        return json.loads((self.folder / "settings.json").read_text())

    def write_chosen(self, chosen):
        """Store what was chosen on the inner splits."""
        (self.folder / "selection.json").write_text(json.dumps(chosen, indent=1) + "\n")

    def chosen(self):
        """Return what was chosen on the inner splits, or None."""
        path = self.folder / "selection.json"
        return json.loads(path.read_text()) if path.exists() else None


def _kept_of(path, new):
    """Return the rows of a file, and below them the new ones that are of other fits."""
    if not path.exists():
        return new
    fit = ["model", "seed", "fold"]
    row = [*fit, "recording"] if "recording" in new else fit
    old = pd.read_csv(path).drop_duplicates(row)  # rows that were appended as they came
    others = ~pd.MultiIndex.from_frame(new[fit]).isin(pd.MultiIndex.from_frame(old[fit]))
    return pd.concat([old, new[others]], ignore_index=True)


def _others_than(kept, new):
    """Return how many fits have another accuracy in a table than anew."""
    fit = ["model", "seed", "fold"]
    both = kept.merge(new, on=fit, suffixes=("", "_new"))
    return int((abs(both["accuracy"] - both["accuracy_new"]) > 1e-5).sum())


def scores_of_fits(results):
    """Return the scores of each model on the test part of each fit."""
    rows = []
    for result in results:
        for (part, model, seed, fold), own in result.groupby(
            ["part", "model", "seed", "fold"], sort=False
        ):
            row = {"part": part, "model": model, "seed": seed, "fold": fold, **score(own).round(6)}
            row["parameters"] = own["parameters"].iloc[0]
            row["seconds"] = own["seconds"].iloc[0].round(1) if "seconds" in own else np.nan
            rows.append(row)
    return pd.DataFrame(rows)
