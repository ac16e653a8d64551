"""Stores on disk."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from sklearn_heartkd import LogMelSpectrogram, StudentClassifier
from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import _store, make_heart_sounds, open_store, store

SOUNDS = make_heart_sounds(20, n_subjects=10, classes=("normal", "murmur"), random_state=0)


def test_opens_what_was_stored(tmp_path):
    opened = store(SOUNDS, tmp_path / "new", block_size=8)
    np.testing.assert_array_equal(np.asarray(opened.data), SOUNDS.data.astype(np.float32))
    assert np.load(tmp_path / "new" / "data.npy").dtype == np.float32
    for name in ("target", "groups", "target_names"):
        np.testing.assert_array_equal(opened[name], SOUNDS[name].astype(str))
    assert opened.sampling_rate == SOUNDS.sampling_rate
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["data.npy", "rows.csv"]
    with pytest.raises(FileExistsError, match="open_store"):
        store(SOUNDS, tmp_path / "new")


def test_texts_come_back(tmp_path):
    strange = np.array(["=1+1", "007", "NA", "a,b"])
    texts = ("target", "groups", "filenames", "devices")
    opened = store(Bunch(data=np.zeros((4, 9)), **dict.fromkeys(texts, strange)), tmp_path)
    for name in texts:
        assert opened[name].tolist() == strange.tolist()


def test_ragged_recordings_get_a_length(tmp_path):
    ragged = Bunch(data=[np.ones(3000), np.ones(7000)], target=["a", "b"], sampling_rate=2000)
    with pytest.raises(ValueError, match="duration"):
        store(ragged, tmp_path)
    assert store(ragged, tmp_path, duration=2.0).data.shape == (2, 4000)


def test_stores_a_folder(tmp_path):
    import soundfile

    for i, (label, waveform) in enumerate(zip(SOUNDS.target, SOUNDS.data, strict=True)):
        folder = tmp_path / "sounds" / label
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{i}.wav", waveform, 2000)
    opened = store(tmp_path / "sounds", tmp_path / "store", duration=3.0, subject=r"\d+")
    assert opened.data.shape == (20, 6000)
    assert sorted(opened.groups) == sorted(map(str, range(20)))


@pytest.mark.parametrize("interrupted_after", [0, 1, 2])
def test_interrupted_store_is_continued(interrupted_after, tmp_path, monkeypatch):
    read, asked = _store._read, []

    def fail(source, block, *rest):
        asked.append(block.start)
        if len(asked) == interrupted_after + 1:
            raise KeyboardInterrupt
        return read(source, block, *rest)

    monkeypatch.setattr(_store, "_read", fail)
    with pytest.raises(KeyboardInterrupt):
        store(SOUNDS, tmp_path, block_size=6)
    with pytest.raises(FileNotFoundError, match="continue"):
        open_store(tmp_path)
    with open(tmp_path / "data.part", "ab") as file:
        file.write(b"half a block")
    asked[:] = [None] * 9
    opened = store(SOUNDS, tmp_path, block_size=6)
    assert asked[9:] == list(range(6 * interrupted_after, 20, 6))
    np.testing.assert_array_equal(np.asarray(opened.data), SOUNDS.data.astype(np.float32))
    assert len((tmp_path / "data.npy").read_bytes()) == 128 + opened.data.shape[1] * 20 * 4


def test_another_source_starts_anew(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_store, "_header", lambda shape: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store(SOUNDS, tmp_path, block_size=6)
    other = Bunch(data=np.ones((5, 10)), target=list("ababa"))
    np.testing.assert_array_equal(np.asarray(store(other, tmp_path).data), other.data)


def test_cross_validates_recordings_and_features(tmp_path):
    model = StudentClassifier(max_epochs=1, random_state=0)
    recordings = store(SOUNDS, tmp_path / "recordings")
    features = store(recordings, tmp_path / "features", transformer=LogMelSpectrogram())
    options = {"groups": SOUNDS.groups, "cv": StratifiedGroupKFold(2), "scoring": "neg_log_loss"}
    piped = make_pipeline(LogMelSpectrogram(), model)
    expected = cross_validate(piped, SOUNDS.data.astype(np.float32), SOUNDS.target, **options)
    for pipeline, data in ((piped, recordings), (model, features)):
        found = cross_validate(pipeline, data.data, data.target, **options)
        np.testing.assert_array_equal(found["test_score"], expected["test_score"])
    found = cross_validate(model, features.data, features.target, n_jobs=2, **options)
    np.testing.assert_array_equal(found["test_score"], expected["test_score"])


def test_pickle_holds_the_name_of_the_file(tmp_path):
    data = store(SOUNDS, tmp_path).data[3:9]
    pickled = pickle.dumps(data)
    assert len(pickled) < 2000
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickled)), np.asarray(data))
    before = joblib.hash(data)
    assert joblib.hash(open_store(tmp_path).data[3:9]) == before
    np.save(tmp_path / "data.npy", np.zeros((20, 3), np.float32))
    assert joblib.hash(data) != before


def test_a_transformer_must_keep_rows(tmp_path):
    class Halves:
        def transform(self, X):
            return X[::2]

    with pytest.raises(ValueError, match="shape"):
        store(SOUNDS, tmp_path, transformer=Halves())


def test_train_takes_a_store(tmp_path, capsys):
    store(SOUNDS, tmp_path / "store")
    out = tmp_path / "model.skops"
    assert (
        main(
            ["train", str(tmp_path / "store"), "--quick", "--teacher", "forest", "--out", str(out)]
        )
        == 0
    )
    assert "20 recordings of 10 subjects" in capsys.readouterr().out
