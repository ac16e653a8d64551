import io

from matplotlib.image import imread

from sklearn_heartkd.comparison._figures import draw


def test_pictures_are_drawn(comparison):
    pictures = draw(comparison, None, 1)
    assert len(pictures) == len(comparison.table) + 1
    assert {"confusion_svm.png", "confusion_student_of_conv1d_kmeans.png"} < set(pictures)
    assert imread(io.BytesIO(pictures["quality_against_size.png"])).std() > 0.01
    assert imread(io.BytesIO(pictures["confusion_svm.png"])).std() > 0.01
