import io

from matplotlib.image import imread

from sklearn_heartkd.comparison._figures import confusion_figure, draw
from sklearn_heartkd.metrics import oof_frame


def test_class_names_are_not_mathematics():
    predictions = oof_frame(
        "svm", seed=0, fold=0, recording=[0, 1], y_true=["$^$_", "b"], y_pred=["b", "b"]
    )
    figure = confusion_figure(predictions, "svm")
    figure.draw_without_rendering()
    assert "$^$_" in [text.get_text() for text in figure.axes[0].get_xticklabels()]


def test_pictures_are_drawn(comparison):
    pictures = draw(comparison, None, 1)
    assert len(pictures) == len(comparison.table) + 1
    assert {"confusion_svm.png", "confusion_student_of_conv1d_kmeans.png"} < set(pictures)
    assert imread(io.BytesIO(pictures["quality_against_size.png"])).std() > 0.01
    assert imread(io.BytesIO(pictures["confusion_svm.png"])).std() > 0.01
