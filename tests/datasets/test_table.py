import warnings

import numpy as np
import pytest
import soundfile

from sklearn_heartkd.datasets import UnreadableRecordingError, load_audio_folder, load_table
from sklearn_heartkd.datasets._listing import join_spellings, read_rows

ROWS = [
    ("name", "finding", "who", "age"),
    ("east/a.wav", "normal", "p1", "50"),
    ("east\\b", "murmur", "p1", "50"),
    ("c.flac", "normal", "p2", "60"),
]


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("east/a.wav", "east/b.WAV", "west/c.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        kind = name[-4:].strip(".").upper()
        soundfile.write(tmp_path / name, rng.normal(scale=0.1, size=4000), 4000, format=kind)
    write(tmp_path, ROWS)
    return tmp_path


def write(folder, rows, separator=",", encoding="utf-8"):
    text = "\n".join(separator.join(row) for row in rows)
    (folder / "labels.csv").write_text(text, encoding=encoding)
    return folder / "labels.csv"


def load(folder, **options):
    return load_table(folder / "labels.csv", **{"file": "name", "target": "finding", **options})


def test_fields_of_the_bunch(folder):
    bunch = load(folder, subject="who")
    assert bunch.target.tolist() == ["normal", "murmur", "normal"]
    assert bunch.groups.tolist() == ["p1", "p1", "p2"]
    assert bunch.frame["file"].tolist() == ["east/a.wav", "east/b", "c.flac"]
    assert bunch.frame["age"].tolist() == ["50", "50", "60"]
    assert [name.rsplit("/", 1)[1] for name in bunch.filenames] == ["a.wav", "b.WAV", "c.flac"]
    assert len(set(load(folder).groups)) == 3
    assert load(folder, duration=2.0).data.shape == (3, 4000)


def test_other_columns_are_kept(folder):
    rows = [(*ROWS[0], "site", "", ""), *((*row, "AV", "", "") for row in ROWS[1:])]
    write(folder, rows)
    frame = load(folder).frame
    assert frame["site"].tolist() == ["AV"] * 3
    assert "" not in frame


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_tables_of_any_program(folder, separator, encoding):
    rows = [tuple(cell.replace("murmur", "Geräusch") for cell in row) for row in ROWS]
    write(folder, rows, separator, encoding)
    assert load(folder).target_names.tolist() == ["Geräusch", "normal"]


def test_cells_that_were_guarded_come_back(tmp_path):
    (tmp_path / "t.csv").write_text("name,label\n'=a.wav,'-1\n")
    assert read_rows(tmp_path / "t.csv") == [["name", "label"], ["=a.wav", "-1"]]


def test_what_does_not_fit_is_named(folder):
    with pytest.raises(ValueError, match=r"labels\.csv lacks the column 'label'; .*'finding'"):
        load(folder, target="label")
    write(folder, [*ROWS, ("x.wav", "", "p3", "1")])
    with pytest.raises(ValueError, match=r"Row 5 of .*labels\.csv has no 'finding'; complete"):
        load(folder)
    write(folder, [*ROWS, ("x.wav", "murmur", "p3", "1")])
    with pytest.raises(UnreadableRecordingError, match=r"x\.wav: no such file"):
        load(folder)
    write(folder, ROWS[:1])
    with pytest.raises(ValueError, match="a header only"):
        load(folder)
    write(folder, ROWS[:2])
    with pytest.raises(ValueError, match="of one class, 'normal'"):
        load(folder)
    write(folder, [(*ROWS[0], "finding"), *ROWS[1:]])
    with pytest.raises(ValueError, match=r"labels\.csv has several columns 'finding'; rename"):
        load(folder)
    with pytest.raises(FileNotFoundError):
        load_table(folder / "nowhere.csv", file="name", target="finding")


def test_one_recording_twice(folder):
    write(folder, [*ROWS, ROWS[1]])
    assert len(load(folder).data) == 3
    write(folder, [*ROWS, ("EAST/A", "murmur", "p1", "50")])
    with pytest.raises(ValueError, match=r"lists '.*' several times, with different"):
        load(folder)
    write(folder, [*ROWS, ("a", "murmur", "p1", "50")])  # found by its name in a folder
    with pytest.raises(ValueError, match=r"lists the recording .*a\.wav several times"):
        load(folder)


def test_missing_labels_are_no_class(folder):
    write(folder, [*ROWS[:3], ("c.flac", "nan", "p2", "60")])
    with pytest.raises(ValueError, match=r"Row 4 of .* has no 'finding'"):
        load(folder)


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(99), "name\n1".encode("utf-16-le")])
def test_what_is_not_a_text_is_no_table(folder, content):
    (folder / "labels.csv").write_bytes(content)
    with pytest.raises(ValueError, match=r"labels\.csv is not a text; save the table as CSV"):
        load(folder)


def test_spellings_of_a_class_are_joined():
    labels = ["normal", "Normal", "normal ", "murmur", "e\u0301", "\u00e9", "normal"]
    with pytest.warns(UserWarning, match=r"3 class names differ .*'Normal' as 'normal'"):
        joined = join_spellings(labels)
    assert len(set(joined)) == 3
    assert joined[:4] == ["normal", "normal", "normal", "murmur"]
    with pytest.warns(UserWarning, match="joined"):
        assert join_spellings([" AS", "as"]) == ["as", "as"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert join_spellings(["a", "b"]) == ["a", "b"]


def test_the_loader_of_class_folders_points_to_a_table(folder):
    (folder / "a.wav").write_bytes((folder / "east" / "a.wav").read_bytes())
    with pytest.raises(ValueError, match=r"If labels\.csv lists the recordings .* load_table"):
        load_audio_folder(folder)
