"""Write every table of README.md and docs/ from the CSV files in benchmarks/results/.

    python -m benchmarks.write_tables

Nothing is fitted; each benchmark also writes its own tables when it ends.
"""

from importlib import import_module

from benchmarks._tables import write_tables

MODULES = (
    "pascal",
    "study.report",
    "when_kmeans_helps",
    "noise_robustness",
    "extrastole",
    "deployment",
    "bundled_model_costs",
    "leak_of_patients",
    "explanation_hits_murmurs",
    "epoch_time",
    "distillation_on_tables",
    "near_duplicates",
    "features_speed",
    "svm_regularization",
    "train_bundled_model",
    "out_of_core",
    "out_of_domain",
    "leave_one_device_out",
    "where_distillation_pays",
    "training_length",
    "first_command",
)


def all_tables():
    """Return every table by page and name of its markers."""
    found = {}
    for name in MODULES:
        found |= import_module(f"benchmarks.{name}").tables()
    return found


if __name__ == "__main__":
    write_tables(all_tables())
