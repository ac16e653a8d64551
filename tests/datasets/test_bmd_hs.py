"""BMD-HS on a miniature: the layout of the data set, with noise for recordings."""

import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import UnreadableRecordingError, load_bmd_hs
from sklearn_heartkd.datasets._layouts import guess_layout

PLACES = [
    f"{position}_{site}" for position in ("sup", "sit") for site in ("Mit", "Tri", "Pul", "Aor")
]
PATIENTS = {
    "patient_001": ("MD", "1,1,1,1,0"),
    "patient_002": ("MR", "0,0,1,0,0"),
    "patient_022": ("MD", "0,0,0,0,1"),  # the prefix is not the label
    "patient_089": ("N", "0,0,0,0,1"),
}
HEADER = "patient_id,AS,AR,MR,MS,N," + ",".join(f"recording_{i}" for i in range(1, 9)) + "\n"


@pytest.fixture
def miniature(tmp_path):
    rows = HEADER
    rng = np.random.default_rng(0)
    (tmp_path / "train").mkdir()
    for patient, (prefix, flags) in PATIENTS.items():
        names = [f"{prefix}_{patient[-3:]}_{place}" for place in PLACES]
        rows += f"{patient},{flags},{','.join(names)}\n"
        for name in names:
            x = rng.normal(scale=0.1, size=2000)
            soundfile.write(tmp_path / "train" / f"{name}.wav", x, 4000)
    (tmp_path / "train.csv").write_text(rows)
    (tmp_path / "additional_metadata.csv").write_text(
        "patient_id,Age,Gender,Smoker,Lives\npatient_001,35,M,1,U\npatient_002,26,F,0,R\n"
    )
    return tmp_path


def test_fields_of_the_bunch(miniature):
    bunch = load_bmd_hs(miniature)
    labels = dict(zip(bunch.groups, bunch.target, strict=True))
    assert labels == {
        "patient_001": "multiple",
        "patient_002": "MR",
        "patient_022": "normal",
        "patient_089": "normal",
    }
    assert len(bunch.data) == 32
    first = bunch.frame.iloc[0]
    assert first[["file", "site", "position"]].tolist() == [
        "train/MD_001_sup_Mit.wav",
        "Mit",
        "supine",
    ]
    assert first[["AS", "AR", "MR", "MS"]].tolist() == [1, 1, 1, 1]
    assert first[["age", "sex", "smoker", "lives"]].tolist() == [35, "M", True, "urban"]
    last = bunch.frame.iloc[-1]
    assert last[["site", "position", "subject"]].tolist() == ["Aor", "sitting", "patient_089"]
    assert np.isnan(last["age"])
    assert set(bunch.devices) == {"BMD-HS stethoscope"}


def test_the_matrix_of_diseases(miniature):
    bunch = load_bmd_hs(miniature, target="multi")
    assert bunch.target.shape == (32, 4)
    assert bunch.target_names.tolist() == ["AS", "AR", "MR", "MS"]
    assert bunch.target[[0, 8, 16]].tolist() == [[1, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]]
    X, y = load_bmd_hs(miniature, target="multi", return_X_y=True, duration=0.25)
    assert X.shape == (32, 500)
    assert y.shape == (32, 4)


def test_a_recording_of_two_patients_is_refused(miniature):
    table = miniature / "train.csv"
    table.write_text(table.read_text().replace("MR_002_sup_Mit", "MD_001_sup_Mit"))
    with pytest.raises(
        ValueError, match=r"lists the recording .*MD_001_sup_Mit\.wav several times"
    ):
        load_bmd_hs(miniature)


def test_missing_cells(miniature):
    table = miniature / "train.csv"
    table.write_text(table.read_text().replace("MR_002_sup_Mit", "NaN"))
    with pytest.warns(UserWarning, match=r"1 sound files .* not in train\.csv"):
        assert len(load_bmd_hs(miniature).data) == 31


def test_metadata_may_be_missing(miniature):
    (miniature / "additional_metadata.csv").unlink()
    assert len(load_bmd_hs(miniature).data) == 32


@pytest.mark.parametrize("flags", ["0,0,0,0,0", "1,0,0,0,1", "0,2,0,0,0"])
def test_flags_that_contradict_each_other(miniature, flags):
    table = miniature / "train.csv"
    table.write_text(table.read_text().replace("patient_002,0,0,1,0,0", f"patient_002,{flags}"))
    with pytest.raises(
        ValueError, match=r"gives patient 'patient_002' .* N must be 1 exactly where"
    ):
        load_bmd_hs(miniature)


def test_tables_and_recordings_that_miss_each_other(miniature):
    (miniature / "train" / "N_089_sit_Aor.wav").rename(miniature / "train" / "N_090_sit_Aor.wav")
    with (
        pytest.warns(UserWarning, match=r"1 sound files .* not in train\.csv .*N_090_sit_Aor"),
        pytest.raises(UnreadableRecordingError, match=r"N_089_sit_Aor\.wav: no such file"),
    ):
        load_bmd_hs(miniature)
    table = miniature / "train.csv"
    table.write_text(table.read_text().replace("MR_002_sup_Mit", "MR-002"))
    with pytest.raises(ValueError, match="lists the recording 'MR-002'; names must be such as"):
        load_bmd_hs(miniature)
    table.unlink()
    with pytest.raises(ValueError, match=r"holds no train\.csv"):
        load_bmd_hs(miniature)


def test_the_layout_is_recognized(miniature):
    assert guess_layout(miniature, sorted(miniature.rglob("*.wav"))) == "bmd_hs"
