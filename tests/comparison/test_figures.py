import io

from matplotlib.image import imread

from sklearn_heartkd.comparison._figures import confusion_figure, draw
from sklearn_heartkd.comparison._scores import score_models
from sklearn_heartkd.metrics import oof_frame


def test_class_names_are_not_mathematics():
    predictions = oof_frame(
        "svm", seed=0, fold=0, recording=[0, 1], y_true=["$^$_", "b"], y_pred=["b", "b"]
    )
    figure = confusion_figure(predictions, "svm")
    figure.draw_without_rendering()
    assert "$^$_" in [text.get_text() for text in figure.axes[0].get_xticklabels()]


def test_pictures_are_drawn(comparison, data):
    pictures = draw(comparison, score_models(comparison.predictions, data.groups), 1)
    assert set(pictures) == {
        *(f"confusion_{model}.png" for model in ("svm", "conv1d", "student", "student_of_conv1d")),
        *("quality_against_size.png", "quality_against_size_narrow.png"),
    }
    for content in pictures.values():
        assert imread(io.BytesIO(content)).std() > 0.01
