"""DistilledClassifier."""

from copy import deepcopy
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import _fit_context, clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_random_state, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.validation import check_is_fitted

from sklearn_heartkd.classifiers import DenseStudentClassifier, StudentClassifier
from sklearn_heartkd.distillation._checks import (
    check_student,
    check_teachers,
    require_moments,
    warn_of_moved_moments,
    warn_of_small_weights,
)
from sklearn_heartkd.distillation._made import MadeRows, keep_labels
from sklearn_heartkd.distillation._munge import Munge
from sklearn_heartkd.distillation._objective import DistillationObjective
from sklearn_heartkd.distillation._parameters import NestedListsMixin, named_items
from sklearn_heartkd.distillation._teaching import (
    cached_outputs,
    feature_maps,
    networks_of,
    predict_teachers,
)
from sklearn_heartkd.distillation._unlabeled import FurtherRows, given_rows
from sklearn_heartkd.distillation.losses._base import DistillationLoss
from sklearn_heartkd.distillation.losses._registry import LOSSES, resolve_losses
from sklearn_heartkd.refinement import ClusterTable
from sklearn_heartkd.refinement._cluster_table import check_n_clusters
from sklearn_heartkd.utils._group_splits import splits_of_rows
from sklearn_heartkd.utils._meta_classifier import MetaClassifier
from sklearn_heartkd.utils._metadata import split_parameters
from sklearn_heartkd.utils._nested import answer
from sklearn_heartkd.utils._pickling import is_left_out
from sklearn_heartkd.utils._probabilities import log_probabilities
from sklearn_heartkd.utils._random import clone_seeded, draw_seed
from sklearn_heartkd.utils._unwrap import allows_nan, parts_of, takes_sequences
from sklearn_heartkd.utils._validation import (
    check_any_input,
    check_any_new_input,
    drop_weightless,
    require_numbers,
)

ENCODE = "give a student that encodes them, as make_pipeline(encoder, DenseStudentClassifier())"


class DistilledClassifier(NestedListsMixin, MetaClassifier):
    """A small network that learns from the labels and from any scikit-learn classifier.

    The teacher is fitted first; the student is then trained on a weighted sum of the cross-entropy
    with the labels and the `losses`, by default the teacher's soft targets and a contrastive loss
    between the embeddings of both. With ``refine="kmeans"``, clusters of the student's embeddings then
    refine its probabilities. Only the student, with its clusters, is used at prediction time.

    Parameters
    ----------
    teacher : classifier or list of (name, classifier)
        Any scikit-learn classifier or pipeline with `predict_proba`. One with a method `embed` also
        teaches by its embeddings; for others log-probabilities stand in. 3-D X is flattened for one
        that only takes tables. A :class:`~sklearn.frozen.FrozenEstimator` is not fitted again; if it
        was fitted on recordings that a cross-validation tests on, those scores are too good. Of several
        teachers, the probabilities are averaged and the embeddings put side by side.
    student : network classifier or Pipeline that ends in one, default=None
        None is ``StudentClassifier()`` if X is 3-D and ``DenseStudentClassifier()`` if it is a table.
        The earlier steps of a pipeline are fitted first. Trained from scratch, for comparison, it is
        ``clone(student).fit(X, y)``.
    losses : str, loss or list of (name, loss, weight), default="kd+infonce"
        Names joined by "+": "ce", "kd", "logits", "infonce", "crd", "supcon", "rkd", "sp", "pkt",
        "hint", "at", "dkd", "dist", "ssd", see `sklearn_heartkd.distillation`. The cross-entropy "ce"
        belongs to every choice but "ssd", which has its own, with weight 0.3 unless it is given: "kd" and
        ``SoftTargets()`` are 0.3 cross-entropy + 0.7 soft targets. Parameters of a
        loss are nested ones: ``losses__temperature`` of a single loss, ``losses__<name>__temperature``
        and ``losses__<name>__weight`` in a list.
    weights : dict, default=None
        Weights of the losses given by name, such as ``{"ce": 0.3, "kd": 0.7, "infonce": 0.2}``, the
        default ones; 0 leaves a loss out. A loss that is not in it has its default weight.
    temperature : float, default=None
        Softmax temperature used by "kd", "dkd", "dist" and "ssd", where the losses are given by name;
        None is the default of each, 1 for "dist" and 2 for the others. Without one of these losses, a
        temperature is an error, so a search over `losses` takes a list of grids.
    teacher_weights : list of float, default=None
        Shares of several teachers in the mean of their probabilities, where a loss such as "kd" uses
        these; None is equal shares. Embeddings do not have shares.
    teacher_outputs : {"auto", "cached", "augmented"}, default="auto"
        "cached" evaluates the teacher once on each recording; "augmented" evaluates it on each augmented
        batch that the student sees, which needs networks that take X itself, and ``cv=None``. "auto" is
        "augmented" where that is possible.
    cv : int, splitter or None, default=None
        Splits for out-of-fold soft targets, by subject where `groups` are given to `fit`: a teacher is
        over-confident on recordings it has seen. None makes no split. Embeddings of different folds
        cannot be compared, so the out-of-fold log-probabilities stand in for them.
    refine : {"kmeans"} or None, default=None
        "kmeans" averages the student's probabilities with those of k-means clusters. It helped students
        that were trained briefly or on wrong labels; otherwise it tends to lower the accuracy.
    n_clusters : int or "auto", default="auto"
        Clusters of the refinement; "auto" is the number of classes.
    refine_weight : float, default=0.25
        Share of the clusters in the average.
    unlabeled_weight : float, default=1.0
        Weight of a row of `X_unlabeled` in the losses, relative to the mean of the rows that have labels.
        The cross-entropy of a row without label counts as 0 in the mean: the more such rows there are, the
        less the labels count. 0 leaves the rows out.
    unlabeled_prior : "balanced" or array-like of shape (n_classes,), default=None
        Shares of the classes among the rows of `X_unlabeled`, in sorted order of the classes; "balanced"
        is equal shares. The teacher's classes are weighted so that the mean of its answers about these
        rows equals them, after Saerens et al. (2002). This assumes that the rows differ from the labeled
        ones only in these shares, not in what recordings of one class look like to the teacher. The
        answers are then cached ones. None leaves them as they are.
    transfer : Munge, default=None
        Makes rows of a table X, about which the teacher is asked and from whose answers the student
        learns, as from rows of `X_unlabeled`: all losses but the cross-entropy, which counts as much as
        without them. They are made from the training rows, after the split of early stopping; each
        counts as of a separate subject. None makes none.
    memory : str or object with the joblib.Memory interface, default=None
        Keeps fitted teachers and their outputs, so that a search over the student's parameters fits
        a teacher once per split. Set `random_state` to an int: with new seeds in every fit, no teacher
        is found again.
    random_state : int, RandomState instance or None, default=None
        Seeds the student, the teacher and the clusters; nested estimators whose random state is set keep
        it, and so does a shuffling splitter in `cv`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.
    teacher_ : classifier, or Bunch of classifiers by name for several
        Fitted on all training data. Not in a model that was saved without its teachers.
    student_ : classifier or Pipeline
        The fitted student.
    refiner_ : ClusterTable or None
        The clusters, with ``refine="kmeans"``.
    history_ : list of dict
        Number and loss of each epoch of the student.
    n_features_in_ : int
        Size of the second dimension of X, where it is an array.

    See Also
    --------
    sklearn_heartkd.KMeansRefinedClassifier : The same refinement around any classifier.

    References
    ----------
    Hinton, Vinyals and Dean (2015), "Distilling the knowledge in a neural network".
    Tian, Krishnan and Isola (2020), "Contrastive representation distillation".
    Saerens, Latinne and Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori
    probabilities: a simple procedure".

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn_heartkd import MFCC, DistilledClassifier, StudentClassifier
    >>> from sklearn_heartkd.datasets import make_heart_sounds
    >>> sounds = make_heart_sounds(24, classes=("normal", "murmur"), random_state=0)
    >>> X = MFCC().fit_transform(sounds.data)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(20), StudentClassifier(max_epochs=5), random_state=0
    ... )
    >>> model.fit(X, sounds.target).predict(X).shape
    (24,)
    """

    _by_name = LOSSES
    _learns_unlabeled = True

    _parameter_constraints: dict = {
        "teacher": [HasMethods(["fit"]), list],
        "student": [HasMethods(["fit", "predict"]), None],
        "losses": [str, DistillationLoss, list],
        "weights": [dict, None],
        "temperature": [Interval(Real, 0, None, closed="neither"), None],
        "teacher_weights": ["array-like", None],
        "teacher_outputs": [StrOptions({"auto", "cached", "augmented"})],
        "cv": ["cv_object"],
        "refine": [StrOptions({"kmeans"}), None],
        "n_clusters": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "refine_weight": [Interval(Real, 0, 1, closed="both")],
        "unlabeled_weight": [Interval(Real, 0, None, closed="left")],
        "unlabeled_prior": [StrOptions({"balanced"}), "array-like", None],
        "transfer": [Munge, None],
        "memory": [str, HasMethods(["cache"]), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        teacher: Any,
        student: Any = None,
        *,
        losses: str | DistillationLoss | list = "kd+infonce",
        weights: dict[str, float] | None = None,
        temperature: float | None = None,
        teacher_weights: ArrayLike | None = None,
        teacher_outputs: str = "auto",
        cv: Any = None,
        refine: str | None = None,
        n_clusters: int | str = "auto",
        refine_weight: float = 0.25,
        unlabeled_weight: float = 1.0,
        unlabeled_prior: str | ArrayLike | None = None,
        transfer: Munge | None = None,
        memory: Any = None,
        random_state: Any = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.losses = losses
        self.weights = weights
        self.temperature = temperature
        self.teacher_weights = teacher_weights
        self.teacher_outputs = teacher_outputs
        self.cv = cv
        self.refine = refine
        self.n_clusters = n_clusters
        self.refine_weight = refine_weight
        self.unlabeled_weight = unlabeled_weight
        self.unlabeled_prior = unlabeled_prior
        self.transfer = transfer
        self.memory = memory
        self.random_state = random_state

    # tensors made under a user's inference mode could not be learned from
    @torch.inference_mode(False)
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        devices: ArrayLike | None = None,
        X_unlabeled: ArrayLike | None = None,
        groups_unlabeled: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Fit the teacher, then the student, then the clusters, if any.

        Parameters
        ----------
        X : array-like of shape (n_recordings, …) or sequence of 1-D arrays
            Features for teacher and student, or what the first steps of both take, if they are
            pipelines.
        y : array-like of shape (n_recordings,)
            Class labels.
        sample_weight : array-like of shape (n_recordings,), default=None
            Weights for the teacher and the student. Rows of weight 0 count as absent. Contrastive losses
            count weights as repetitions; scale them to 1 on average.
        groups : array-like of shape (n_recordings,), default=None
            Subjects: no inner split crosses them, and contrastive losses do not contrast recordings of
            one subject.
        devices : array-like of shape (n_recordings,), default=None
            Devices with which the recordings were made, for teachers and students with ``balance=True``.
        X_unlabeled : array-like of shape (n_unlabeled, …) or sequence of 1-D arrays, default=None
            Recordings without labels, in the form of X. The teacher is fitted on X, answers about them, and
            the student learns from its answers: all losses but the cross-entropy with the labels. Losses
            that compare classes take the class that the teacher finds most probable. A pipeline around
            this classifier does not transform them: put pipelines inside.
            `cross_validate` and `GridSearchCV` hand all of them to every fold, which is honest only if none
            of their subjects is tested; else loop, with
            :func:`~sklearn_heartkd.model_selection.split_unlabeled`. They cut an array that happens to have
            as many rows as X, or as the training part of an outer split: give one more or one less.
        groups_unlabeled : array-like of shape (n_unlabeled,), default=None
            Their subjects, named as in `groups`: early stopping leaves out those that it holds out.
        **params : dict
            Metadata for the teacher and the student, with metadata routing enabled.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        TypeError
            If a teacher has no `predict_proba` or no `classes_`, the student is not a network of this
            package, or a loss does not make a torch module or a number.
        ValueError
            If teachers, losses, classes and recordings do not go together; the message says what to
            change.
        """
        X, y = check_any_input(self, X, y)
        n_rows = len(y)
        if not self.unlabeled_weight:
            X_unlabeled = groups_unlabeled = None
        params |= self._check_metadata(y, groups, devices, X_unlabeled, groups_unlabeled)
        X, y, sample_weight, params, rows = drop_weightless(X, y, sample_weight, params)
        if self.transfer is not None and getattr(X, "ndim", None) != 2:
            raise ValueError(
                "transfer makes rows of tables, but X is not 2-D; leave transfer=None, or give a table."
            )
        cv = splits_of_rows(self.cv, rows, n_rows)
        self.classes_ = np.unique(y)
        student = self._student(is_table=getattr(X, "ndim", 2) == 2)
        check_student(student, params["devices"])
        if not isinstance(student, Pipeline):
            require_numbers(X, ENCODE)
        terms = resolve_losses(self.losses, self.weights, self.temperature, len(self.classes_))
        shares = check_teachers(self, self._teachers(), terms)
        warn_of_small_weights(sample_weight, terms)
        if self.refine == "kmeans":
            check_n_clusters(self.n_clusters, len(y))

        routed = self._route(sample_weight=sample_weight, **params)
        random_state = check_random_state(self.random_state)
        predictions = predict_teachers(self, X, y, routed, params, cv, random_state)
        student = clone_seeded(student, random_state)
        network, features, fit_params = _fit_head(student, X, y, routed["student"])
        needs_maps = cv is None and any(
            loss.needs_sequence for _, loss, weight in terms if weight > 0
        )
        maps = feature_maps(predictions, X) if needs_maps else None
        known = [(one.probabilities, one.embedding) for one in predictions]
        cached = cached_outputs(known, shares, maps)
        further = FurtherRows()
        if "X_unlabeled" in params:
            further.sources.append(
                given_rows(self, predictions, shares, student, params, needs_maps=needs_maps)
            )
        if self.transfer is not None:
            seed = draw_seed(random_state)
            further.sources.append(MadeRows(self, predictions, shares, student, X, seed))
            terms = keep_labels(terms, self.transfer)
        is_same = features is X and not isinstance(network, DenseStudentClassifier)
        asked = networks_of(self, predictions, features if is_same else None)

        def make_objective(module, rows):
            if maps is not None:
                require_moments(module, rows)
                if asked is None:
                    warn_of_moved_moments(network._augmentations(), self.teacher_outputs)
            outputs = further.behind(cached)
            return DistillationObjective(
                terms, module, rows, outputs, asked, shares, network.label_smoothing
            )

        network._fit(features, y, make_objective=make_objective, unlabeled=further, **fit_params)
        self.student_, self.history_ = student, network.history_
        fitted = {one.name: one.teacher for one in predictions}
        self.teacher_ = Bunch(**fitted) if isinstance(self.teacher, list) else fitted["teacher"]
        self.refiner_ = None
        if self.refine == "kmeans":
            self.refiner_ = ClusterTable.learn(
                network.embed(features),
                np.searchsorted(self.classes_, y),
                sample_weight,
                n_classes=len(self.classes_),
                n_clusters=self.n_clusters,
                random_state=draw_seed(random_state),
            )
        return self

    def _teachers(self):
        return self.teacher if isinstance(self.teacher, list) else [("teacher", self.teacher)]

    def _student(self, is_table=True):
        if self.student is not None:
            return self.student
        student = DenseStudentClassifier() if is_table else StudentClassifier()
        return student.set_fit_request(sample_weight=True) if _routing_enabled() else student

    def _nested(self):
        teachers = {f"teacher__{item[0]}": item[1] for item in named_items(self._teachers())}
        return teachers | {"student": self._student()}

    def _embeds(self):
        return True

    def _answer(self, X):
        """Return probabilities and embeddings of one evaluation."""
        check_is_fitted(self)
        probabilities, embedding = answer(self.student_, check_any_new_input(self, X))
        if self.refiner_ is not None:
            probabilities = self.refiner_.refine(probabilities, embedding, self.refine_weight)
        return probabilities, embedding

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the student's logits, or log-probabilities after the refinement.

        Parameters
        ----------
        X : array-like of shape (n_recordings, …) or sequence of 1-D arrays
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings, n_classes), or (n_recordings,) with two classes
            With two classes, the second minus the first.
        """
        check_is_fitted(self)
        if self.refiner_ is None:
            return self.student_.decision_function(check_any_new_input(self, X))
        scores = log_probabilities(self.predict_proba(X))
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def __getstate__(self):
        state = dict(super().__getstate__())
        if is_left_out("teachers"):
            state.pop("teacher_", None)
            # a frozen teacher would stay, fitted, as the parameter
            state["teacher"] = _without_fits(self.teacher)
        return state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        student = self._student()
        tags.input_tags = get_tags(student).input_tags
        tags.input_tags.sparse = False
        tags.input_tags.three_d_array = takes_sequences(student)
        parts = [student, *(item[1] for item in named_items(self._teachers()))]
        tags.input_tags.allow_nan = all(map(allows_nan, parts))
        return tags


def _fit_head(student, X, y, params):
    """Fit the steps before the student's network in place; `params` are the arguments of its `fit`.

    Returns
    -------
    network : NetworkClassifier
        Not fitted.
    features : array-like
        X as the network takes it.
    params : dict
        Arguments of the network's `fit`.
    """
    if not isinstance(student, Pipeline):
        return student, X, params
    before, params = split_parameters(student, params)
    *_, (end, network) = student.steps
    if len(student) == 1:
        return network, X, params
    head = student[:-1]
    features = head.fit_transform(X, y, **before)
    student.steps = [*head.steps, (end, network)]
    return network, features, params


def _without_fits(teacher):
    """Return a copy of the parameter `teacher` in which frozen estimators are not fitted."""
    if isinstance(teacher, list):
        return [(name, _without_fits(one)) for name, one in teacher]
    teacher = deepcopy(teacher)
    for part in parts_of(teacher):
        if isinstance(part, FrozenEstimator):
            part.estimator = clone(part.estimator)
    return teacher
