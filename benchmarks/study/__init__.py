"""The study of distillation on PASCAL: losses, teachers, teaching, pretraining, sizes, k-means.

    python -m benchmarks.study --data path/to/heartbeat-sounds [--work DIR] [--stages select …]

One command from the root of the repository. The stages, in this order: `select` scores every loss on
inner splits of the training folds and chooses three; `finals` compares those in front with every seed,
from which the default loss is set; `starts` compares models with and without a start from labelled
synthetic recordings, which no other stage has; `losses` runs every loss on the outer folds with
one teacher and one seed; `teachers` the chosen losses with every teacher and all seeds; `teaching` the
ways to ask the teacher, and pretraining; `sizes` students of 1, 5, 10 and 50 thousand parameters;
`report` writes the tables, the pictures and docs/study.md from what is there.

Started again, it goes on where it was. Fits are kept in --work; results go to
benchmarks/results/study/, where what is there stays: a model that another machine fits anew with the same
seed may differ in a recording or two.
`--count` only prints how many fits are waiting.
"""
