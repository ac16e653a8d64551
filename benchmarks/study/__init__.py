"""The study of distillation on PASCAL: losses, teachers, teaching, pretraining, sizes, k-means."""
