"""CirCor DigiScope on a miniature: the layout of the data set, with noise for recordings."""

import shutil

import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import load_audio_folder, load_circor
from sklearn_heartkd.datasets._layouts import guess_layout

HEADER = (
    "Patient ID,Recording locations:,Age,Sex,Height,Weight,Pregnancy status,Murmur,Murmur locations,"
    "Most audible location,Outcome,Campaign,Additional ID\n"
)
PATIENTS = {
    "2530": "2530,AV+MV,Child,Female,98.0,15.9,False,Absent,nan,nan,Abnormal,CC2015,nan\n",
    "9979": "9979,PV+Phc,Adolescent,Female,,,True,Present,PV,PV,Normal,CC2014,50001\n",
    "50001": "50001,TV,nan,Male,103.0,nan,False,Unknown,nan,nan,Normal,CC2015,9979\n",
}
NAMES = ("2530_AV", "2530_MV_1", "2530_MV_2", "9979_PV", "9979_Phc", "50001_TV")


@pytest.fixture
def miniature(tmp_path):
    folder = tmp_path / "training_data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in NAMES:
        soundfile.write(folder / f"{name}.wav", rng.normal(scale=0.1, size=4000), 4000)
        (folder / f"{name}.hea").write_text(f"{name} 1 4000 4000\n")
    (folder / "2530_AV.tsv").write_text(
        "0\t0.2\t0\n0.2\t0.3\t1\n0.3\t0.5\t2\n0.5\t0.6\t3\n0.6\t1\t4\n"
    )
    (folder / "9979_PV.tsv").write_text("")
    (tmp_path / "training_data.csv").write_text(HEADER + "".join(PATIENTS.values()))
    return tmp_path


def by_file(bunch, column):
    return dict(zip(bunch.frame["file"].str[14:-4], bunch.frame[column], strict=True))


def test_fields_of_the_bunch(miniature):
    bunch = load_circor(miniature)
    assert by_file(bunch, "label") == {
        "2530_AV": "absent",
        "2530_MV_1": "absent",
        "2530_MV_2": "absent",
        "9979_PV": "present",
        "9979_Phc": "present",
        "50001_TV": "unknown",
    }
    assert bunch.target.tolist() == bunch.frame["murmur"].tolist()
    assert by_file(bunch, "site")["9979_Phc"] == "Phc"
    assert by_file(bunch, "site")["2530_MV_2"] == "MV"
    assert by_file(bunch, "age_group")["2530_AV"] == "Child"
    assert by_file(bunch, "age_group")["50001_TV"] == ""
    assert by_file(bunch, "sex")["50001_TV"] == "Male"
    assert by_file(bunch, "height")["2530_AV"] == 98.0
    assert np.isnan(by_file(bunch, "weight")["9979_PV"])
    assert by_file(bunch, "pregnancy_status")["9979_PV"] is True
    assert by_file(bunch, "murmur_locations")["9979_PV"] == "PV"
    assert by_file(bunch, "campaign")["9979_PV"] == "CC2014"
    assert set(bunch.devices) == set(bunch.frame["device"])
    assert len(set(bunch.devices)) == 1
    assert [len(x) for x in bunch.data] == [2000] * 6
    assert "additional_id" not in bunch.frame


def test_the_outcome_as_target(miniature):
    bunch = load_circor(miniature, target="outcome", duration=0.5)
    assert bunch.data.shape == (6, 1000)
    assert by_file(bunch, "label")["2530_AV"] == "abnormal"
    assert bunch.target_names.tolist() == ["abnormal", "normal"]
    X, y = load_circor(miniature, return_X_y=True)
    assert len(X) == len(y) == 6


def test_two_numbers_of_one_child_are_one_group(miniature):
    bunch = load_circor(miniature)
    groups = dict(zip(bunch.frame["subject"], bunch.groups, strict=True))
    assert groups["9979"] == groups["50001"]
    assert groups["2530"] == "2530"


def test_an_additional_number_joins_two_patients(miniature):
    rows = PATIENTS["2530"].replace(",nan\n", ",777\n") + PATIENTS["9979"].replace("50001", "777.0")
    (miniature / "training_data.csv").write_text(
        HEADER + rows + PATIENTS["50001"].replace("9979", "")
    )
    bunch = load_circor(miniature)
    groups = dict(zip(bunch.frame["subject"], bunch.groups, strict=True))
    assert groups["2530"] == groups["9979"] != groups["50001"]


def test_segmentations_are_events(miniature):
    bunch = load_circor(miniature)
    row = bunch.frame["file"].tolist().index("training_data/2530_AV.wav")
    assert bunch.events.values.tolist() == [
        [row, "S1", 0.2, 0.3],
        [row, "systole", 0.3, 0.5],
        [row, "S2", 0.5, 0.6],
        [row, "diastole", 0.6, 1.0],
    ]
    (miniature / "training_data" / "2530_AV.tsv").write_text("0.2\tS1\n")
    with pytest.raises(ValueError, match=r"2530_AV\.tsv holds the row \['0.2', 'S1'\]; it must be"):
        load_circor(miniature)


def test_the_inner_folder_and_the_files_of_the_patients(miniature):
    expected = load_circor(miniature).target.tolist()
    assert load_circor(miniature / "training_data").target.tolist() == expected
    (miniature / "training_data.csv").unlink()
    with pytest.raises(ValueError, match=r"neither training_data\.csv nor a patient's file"):
        load_circor(miniature)
    for number, row in PATIENTS.items():
        fields = dict(zip(HEADER.strip().split(","), row.strip().split(","), strict=True))
        lines = [f"{number} {len(NAMES)} 4000"]
        lines += [f"{name.split('_')[1]} {name}.hea" for name in NAMES if name.startswith(number)]
        lines += [f"#{name}: {value}" for name, value in fields.items() if name != "Patient ID"]
        (miniature / "training_data" / f"{number}.txt").write_text("\n".join(lines))
    bunch = load_circor(miniature)
    assert bunch.target.tolist() == expected
    assert by_file(bunch, "height")["2530_AV"] == 98.0
    assert len(set(bunch.groups)) == 2


def test_listed_recordings_that_are_missing_are_named(miniature):
    (miniature / "training_data" / "2530_MV_2.wav").unlink()
    assert len(load_circor(miniature).data) == 5  # there is another one of that site
    (miniature / "training_data" / "2530_MV_1.wav").unlink()
    with pytest.warns(UserWarning, match=r"1 listed recordings are not in .*\(2530_MV\)"):
        load_circor(miniature)


@pytest.mark.parametrize("interval", ["0.3\t0.2", "nan\t1", "0\tinf"])
def test_segmentations_that_are_no_intervals(miniature, interval):
    (miniature / "training_data" / "2530_AV.tsv").write_text(f"{interval}\t1\n")
    with pytest.raises(ValueError, match=r"2530_AV\.tsv holds the row .*; it must be start, end"):
        load_circor(miniature)


def test_decimal_commas(miniature):
    table = miniature / "training_data.csv"
    table.write_text(table.read_text().replace(",", ";").replace("98.0", "98,5"))
    assert by_file(load_circor(miniature), "height")["2530_AV"] == 98.5


def test_patients_without_recordings_are_reported(miniature):
    (miniature / "training_data" / "50001_TV.wav").unlink()
    with pytest.warns(UserWarning, match=r"1 listed recordings are not in .*\(50001_TV\)"):
        assert len(load_circor(miniature).data) == 5


def test_what_does_not_fit_is_named(miniature, tmp_path):
    table = miniature / "training_data.csv"
    text = table.read_text()
    table.write_text(text.replace("Present", "Perhaps"))
    with pytest.raises(
        ValueError, match="patient '9979' the murmur 'Perhaps'; it must be present or"
    ):
        load_circor(miniature)
    table.write_text(text.replace("Outcome", "Result"))
    with pytest.raises(ValueError, match=r"training_data\.csv lacks the column 'Outcome'"):
        load_circor(miniature)
    table.write_text(text + PATIENTS["2530"].replace("Absent", "Present"))
    with pytest.raises(ValueError, match=r"lists '.*' several times, with different"):
        load_circor(miniature)
    table.write_text(text.replace(PATIENTS["50001"], ""))
    with pytest.warns(
        UserWarning, match=r"1 sound files .* left out \(training_data/50001_TV\.wav\)"
    ):
        assert len(load_circor(miniature).data) == 5


def test_a_folder_unpacked_into_itself_counts_once(miniature):
    shutil.copytree(miniature / "training_data", miniature / "copy")
    shutil.move(miniature / "copy", miniature / "training_data" / "training_data")
    with pytest.warns(UserWarning, match="Copies of recordings .* are left out: 6 "):
        bunch = load_circor(miniature)
    assert bunch.frame["file"].str.count("/").tolist() == [1] * 6


def test_other_folders_are_refused(tmp_path):
    soundfile.write(tmp_path / "one.wav", np.zeros(4000), 4000)
    with pytest.raises(ValueError, match=r"None of the 1 sound files .* load_table"):
        load_circor(tmp_path)


def test_the_layout_is_recognized(miniature):
    assert guess_layout(miniature, sorted(miniature.rglob("*.wav"))) == "circor"


def test_the_loader_of_class_folders_explains_the_layout(miniature):
    with pytest.raises(ValueError, match=r"looks like the layout 'circor' .* with load_circor"):
        load_audio_folder(miniature)
    with pytest.raises(ValueError, match=r"looks like the layout 'circor' .* with load_circor"):
        load_audio_folder(miniature / "training_data")
