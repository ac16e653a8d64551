from sklearn_heartkd import Conv2DClassifier
from tests.distillation.helpers import distil
from tests.distillation.trace import files_visited


def test_x_visits_few_files(data):
    X, y = data
    teacher = Conv2DClassifier(width=4, depth=1, max_epochs=1)
    model = distil(teacher)
    visited = files_visited(lambda: model.fit(X, y), X)
    assert "distillation/_distilled.py" in visited
    assert "distillation/_teaching.py" in visited
    assert len(visited) <= 6, sorted(visited)
