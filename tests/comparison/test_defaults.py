import pytest

from sklearn_heartkd.comparison import N_SYNTHETIC, QUICK, Recipe, make_deployable


def test_each_network_has_a_pretraining():
    model = make_deployable("ensemble", n_synthetic=10, random_state=0)
    distilled = model.estimator[-1]
    distilled.set_params(student__pretrain__max_epochs=1)
    assert {network.pretrain.max_epochs for _, network in distilled.teacher} == {10}
    plain = make_deployable("ensemble", n_synthetic=0).estimator[-1]
    assert plain.student.pretrain is None
    assert make_deployable("forest", n_synthetic=10).estimator[-1].student.pretrain.X.shape[0] == 10


@pytest.mark.parametrize("quick", [False, True])
def test_synthetic_recordings_pretrain_only_for_real_ones(quick):
    assert Recipe.default(synthetic=True, quick=quick).n_synthetic == 0
    assert Recipe.default(quick=quick).n_synthetic == (0 if quick else N_SYNTHETIC)
    assert Recipe.default(4000, quick=quick).sampling_rate == 4000


def test_quick_is_a_small_budget():
    student = make_deployable("conv1d", **QUICK).estimator[-1].student
    assert student.max_epochs == Recipe.default(quick=True).max_epochs == 2
    assert student.pretrain is None
