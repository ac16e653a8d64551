import numpy as np

from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.inspection import explain


def test_explanations_point_at_murmurs(convolutional, sounds):
    """Of recordings whose middle third alone may hold a murmur, at least 3 times its share of time."""
    assert convolutional.score(sounds.data, sounds.target) > 0.9
    test = make_heart_sounds(
        40, classes=("normal", "murmur"), n_subjects=40, duration=2.0, random_state=1
    )
    murmur, normal = (np.flatnonzero(test.target == label) for label in ("murmur", "normal"))
    seconds = np.arange(4000) / 2000
    start, end = 0.6, 1.4
    share = np.clip(np.minimum(seconds - start, end - seconds) / 0.05, 0, 1)
    scaled = test.data / test.data.std(axis=1, keepdims=True)
    mixed = (share * scaled[murmur] + (1 - share) * scaled[normal]).astype(np.float32)
    explanation = explain(convolutional, mixed)
    found = []
    for i, row in enumerate(murmur):
        events = test.events[(test.events["recording"] == row) & (test.events["kind"] == "murmur")]
        inside = events[["start", "end"]].to_numpy().clip(start, end)
        inside = inside[inside[:, 1] - inside[:, 0] > 0.1]
        if len(inside):
            found.append(explanation.share_in(i, inside, target="murmur"))
    of_attribution, of_time = np.mean(found, axis=0)
    assert len(found) > 10
    assert of_attribution > 3 * of_time
