from sklearn_heartkd.comparison import write_figures


def test_pictures_are_written(comparison, tmp_path):
    write_figures(comparison, tmp_path)
    names = {path.name for path in tmp_path.glob("*.png")}
    assert "quality_against_size.png" in names
    assert {"confusion_svm.png", "confusion_student_of_conv1d_kmeans.png"} <= names
    assert all(path.stat().st_size > 2000 for path in tmp_path.iterdir())
