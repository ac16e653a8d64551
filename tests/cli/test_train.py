from contextlib import suppress
from functools import wraps

import pytest
import soundfile

from sklearn_heartkd import DistilledClassifier, comparison
from sklearn_heartkd.cli import main
from sklearn_heartkd.datasets import make_heart_sounds
from sklearn_heartkd.deployment import load_model


@pytest.fixture
def folder(tmp_path):
    sounds = make_heart_sounds(
        12, classes=("normal", "murmur"), n_subjects=6, duration=3.0, random_state=0
    )
    for i, (waveform, label, subject) in enumerate(
        zip(sounds.data, sounds.target, sounds.groups, strict=True)
    ):
        (tmp_path / "recordings" / label).mkdir(parents=True, exist_ok=True)
        path = tmp_path / "recordings" / label / f"{subject}_{i}.wav"
        soundfile.write(path, 0.5 * waveform / abs(waveform).max(), 2000)
    return tmp_path / "recordings"


def test_train_export_and_predict_complete_the_circle(folder, tmp_path, capsys):
    arguments = ["--layout", "folder", "--subject", r"^(.+?)_\d+\.wav"]
    model, exported = tmp_path / "model.skops", tmp_path / "model.onnx"
    options = [*arguments, "--quick", "--teacher", "conv1d", "--out", str(model)]
    assert main(["train", str(folder), *options]) == 0
    said = capsys.readouterr()
    assert "12 recordings of 6 subjects, classes murmur, normal" in said.out
    assert said.err == ""
    student = load_model(model).estimator_[-1]
    assert not hasattr(student, "teacher_")
    assert student.student_.n_iter_ == 2
    assert main(["export", str(model), "--to", "onnx"]) == 0
    capsys.readouterr()
    assert main(["predict", str(folder), "--model", str(exported)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 12


def test_recordings_without_labels_are_learned_from(folder, tmp_path, capsys, monkeypatch):
    """One of them is a copy of a labeled one, which is warned of."""
    sounds = make_heart_sounds(4, n_subjects=4, duration=4.0, random_state=1)
    for i, waveform in enumerate(sounds.data):
        (tmp_path / "others" / "deeper").mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "others" / "deeper" / f"o{i}_0.wav", waveform / 9, 2000)
    original = sorted(folder.rglob("*.wav"))[0]
    copy = tmp_path / "others" / "copy_1.wav"
    copy.write_bytes(original.read_bytes())
    given = []
    fit = DistilledClassifier.fit

    @wraps(fit)
    def spy(self, X, y, **params):
        given.append(params)
        return fit(self, X, y, **params)

    monkeypatch.setattr(DistilledClassifier, "fit", spy)
    arguments = ["--layout", "folder", "--subject", r"^(.+?)_\d+\.wav", "--quick"]
    out = tmp_path / "model.skops"
    options = [*arguments, "--teacher", "forest", "--unlabeled", str(tmp_path / "others")]
    with pytest.warns(UserWarning, match=r"copy_1\.wav.* copies of labeled recordings"):
        assert main(["train", str(folder), *options, "--out", str(out)]) == 0
    assert "5 recordings without labels" in capsys.readouterr().out
    (params,) = given
    assert params["X_unlabeled"].ndim == 3
    names = {"o0", "o1", "o2", "o3", original.name.rpartition("_")[0]}
    assert set(params["groups_unlabeled"]) == names
    assert load_model(out).estimator_[-1].student_.n_iter_ == 2


@pytest.mark.parametrize("teacher", ["forest", "conv1d"])
def test_a_linear_student_goes_to_onnx(folder, tmp_path, capsys, teacher):
    model, exported = tmp_path / "model.skops", tmp_path / "model.onnx"
    options = ["--quick", "--teacher", teacher, "--student", "linear", "--out", str(model)]
    assert main(["train", str(folder), "--layout", "folder", *options]) == 0
    network = load_model(model).estimator_.student_[-1]
    assert network.hidden_layer_sizes == ()
    assert network.module_.head.weight.shape == (2, 184)
    assert main(["export", str(model), "--to", "onnx"]) == 0
    capsys.readouterr()
    assert main(["predict", str(folder), "--model", str(exported)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 12


def test_a_missing_folder_for_the_model_is_named(folder, tmp_path, capsys):
    out = tmp_path / "nowhere" / "model.skops"
    assert main(["train", str(folder), "--layout", "folder", "--out", str(out)]) == 2
    assert "nowhere of --out does not exist" in capsys.readouterr().err


def test_a_model_file_of_another_kind_is_refused_before_training(folder, tmp_path, capsys):
    out = tmp_path / "model.onnx"
    assert main(["train", str(folder), "--out", str(out)]) == 2
    assert "--out must be a .skops file, got" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(("options", "budget"), [([], {}), (["--quick"], comparison.QUICK)])
def test_the_budget_is_the_default_one(folder, tmp_path, options, budget, monkeypatch):
    asked = []
    monkeypatch.setattr(
        comparison, "make_deployable", lambda *a, **given: asked.append(given) or 1 / 0
    )
    out = ["--layout", "folder", "--out", str(tmp_path / "a.skops")]
    with pytest.raises(ZeroDivisionError):
        main(["train", str(folder), *out, *options])
    shared = {"student": "convolutional", "sampling_rate": 2000, "random_state": 0}
    assert asked == [shared | budget]


def test_files_that_cannot_be_read_are_named(folder, tmp_path, monkeypatch):
    (folder / "normal" / "broken_1.wav").write_text("no sound")
    fitted = []
    monkeypatch.setattr(comparison, "make_deployable", lambda *a, **k: fitted.append(1) or 1 / 0)
    words = ["train", str(folder), "--layout", "folder", "--on-error", "skip"]
    with (
        pytest.warns(UserWarning, match=r"broken_1\.wav"),
        pytest.raises(ZeroDivisionError),
    ):
        main([*words, "--out", str(tmp_path / "a.skops")])


@pytest.mark.parametrize("verb", ["check", "train", "compare"])
def test_files_without_subjects_are_warned_of(verb, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(comparison, "make_deployable", lambda *a, **k: 1 / 0)
    monkeypatch.setattr(comparison, "compare", lambda *a, **k: 1 / 0)
    words = {
        "check": ["check", str(folder)],
        "train": ["train", str(folder), "--out", str(tmp_path / "m.skops")],
        "compare": ["compare", "--data", str(folder)],
    }[verb]
    for subject, warned in (([], True), (["--subject", r"^(.+?)_\d+\.wav"], False)):
        with suppress(ZeroDivisionError):
            main([*words, *subject])
        err = capsys.readouterr().err
        assert ("each file counts as a separate subject" in err) == warned


@pytest.mark.parametrize(
    ("option", "value", "layout"),
    [("subject", "x", "pascal"), ("split", "all", "pascal"), ("subset", "a", "folder")],
)
def test_options_of_other_layouts_are_refused(tmp_path, capsys, option, value, layout):
    (tmp_path / "set_a").mkdir()
    (tmp_path / "set_a" / "normal__1.wav").write_text("")
    words = ["train", str(tmp_path), "--layout", layout, f"--{option}", value]
    assert main([*words, "--out", str(tmp_path / "m.skops")]) == 2
    assert f"{option}='{value}' is not used for the layout '{layout}'" in capsys.readouterr().err
