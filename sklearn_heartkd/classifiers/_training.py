"""The training loop: a skorch net fed with augmented batches from a private generator."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from numbers import Real

import numpy as np
import skorch
import torch
from sklearn.base import ClassifierMixin
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from skorch.utils import noop
from torch import nn
from torch.nn import functional

from sklearn_heartkd.networks._common import use_generator

_RISE = 0.3  # share of the training during which the learning rate rises to its peak


class Objective(nn.Module):
    """The loss of a network's training; distillation derives its own from this one.

    Parameters
    ----------
    label_smoothing : float
        Share of the target probability that is spread over all classes.
    """

    def __init__(self, label_smoothing=0.0):
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, output, batch):
        """Return the weighted mean cross-entropy; under mixup, over both labels of every row.

        What has no label costs nothing, but counts in the mean.
        """
        loss = self._cross_entropy(output.logits, batch.target)
        if batch.labeled is not None:
            loss = torch.where(batch.labeled, loss, 0)
        if batch.partner is None:
            return weighted_mean(loss, batch.weight)
        other = self._cross_entropy(output.logits, batch.target[batch.partner])
        if batch.labeled is not None:
            other = torch.where(batch.labeled[batch.partner], other, 0)
        own, rest = batch.share * batch.weight, (1 - batch.share) * batch.weight[batch.partner]
        return (own * loss + rest * other).sum() / (own + rest).sum()

    def _cross_entropy(self, logits, target):
        return functional.cross_entropy(
            logits, target, reduction="none", label_smoothing=self.label_smoothing
        )


def weighted_mean(values, weight):
    """Return the mean of `values`, weighted by `weight`."""
    return (values * weight).sum() / weight.sum()


class _Batches:
    """Iterate over the rows in batches of nearly equal size, so that none holds a single row."""

    def __init__(
        self, dataset, batch_size, augmentations=(), generator=None, balance=None, block=None
    ):
        self.dataset = dataset
        self.batch_size = batch_size
        self.augmentations = augmentations
        self.generator = generator
        self.balance = balance
        self.block = block

    def __len__(self):
        return max(1, round(len(self.dataset) / self.batch_size))

    def __iter__(self):
        batch = self.dataset.batch
        device = batch.x.device
        if self.generator is None:
            order = torch.arange(len(batch), device=device)
        elif self.balance is not None:
            order = self.balance.draw(self.generator)
            # what is drawn more often does not weigh more besides
            batch = replace(batch, weight=batch.weight / self.balance.weight)
        else:
            # rows of one block are read together; without blocks, there is a single one
            starts = torch.arange(len(batch), device=device).split(self.block or len(batch))
            options = {"generator": self.generator, "device": device}
            first = torch.randperm(len(starts), **options) if len(starts) > 1 else [0]
            order = torch.cat([starts[i][torch.randperm(len(starts[i]), **options)] for i in first])
        for rows in torch.tensor_split(order, len(self)):
            part = batch.take(rows)
            for augment in self.augmentations:
                part = augment(part, self.generator)
            yield part, part.target


class _Rows(torch.utils.data.Dataset):
    """The whole training data as one batch on the device."""

    def __init__(self, batch):
        self.batch = batch

    def __len__(self):
        return len(self.batch)

    def __getitem__(self, row):
        return self.batch.x[row], self.batch.target[row]


class _Stopped(Exception):
    """A callback ended the training."""


class _Net(ClassifierMixin, skorch.NeuralNet):
    """A skorch net that passes the criterion whole `Batch` objects.

    Callbacks see a classifier whose labels are the numbers of the classes.
    """

    @property
    def classes_(self):
        """Numbers of the classes."""
        return np.arange(self.module_.head.out_features)

    def predict(self, X):
        """Return the number of the most probable class of each row."""
        return self.predict_proba(X).argmax(axis=1)

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        # skorch's version also ignores the user's Ctrl-C, which would return a half-trained network
        self.notify("on_train_begin", X=X, y=y)
        with suppress(_Stopped):
            self.fit_loop(X, y, **fit_params)
        self.notify("on_train_end", X=X, y=y)
        return self

    def notify(self, method_name, **kwargs):
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as request:
            if method_name == "on_epoch_end":
                raise _Stopped from request  # skorch callbacks end the training in this way
            raise

    def train_step_single(self, batch, **fit_params):
        self._set_training(True)
        output = self.module_(batch[0].x)
        loss = self.criterion_(output, batch[0])
        loss.backward()
        return {"loss": loss, "y_pred": output.logits}

    def validation_step(self, batch, **fit_params):
        self._set_training(False)
        with torch.no_grad():
            output = self.module_(batch[0].x)
            return {"loss": self.criterion_(output, batch[0]), "y_pred": output.logits}


class _EarlyStopping(EarlyStopping):
    """Early stopping that starts counting when the learning rate has reached its peak.

    Before, the steps are small, and a network may not improve for many epochs.
    """

    def __init__(self, first_epochs, patience):
        super().__init__(monitor="valid_loss", patience=patience, load_best=True, sink=noop)
        self.first_epochs = first_epochs

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) <= self.first_epochs:
            self.misses_ = -1  # skorch adds one where the epoch did not improve
        super().on_epoch_end(net, **kwargs)


class _Progress(Callback):
    """One progress bar over the epochs, in a terminal only."""

    def __init__(self, description=None):
        self.description = description

    def on_train_begin(self, net, **kwargs):
        from tqdm.auto import tqdm

        self.bar_ = tqdm(
            desc=self.description, total=net.max_epochs, unit="epoch", leave=False, disable=None
        )

    def on_epoch_end(self, net, **kwargs):
        self.bar_.set_postfix(loss=f"{net.history[-1]['train_loss']:.3f}", refresh=False)
        self.bar_.update()

    def on_train_end(self, net, **kwargs):
        self.bar_.close()


def train(
    module,
    objective,
    batch,
    *,
    validation=None,
    balance=None,
    block=None,
    augmentations,
    batch_size,
    max_epochs,
    learning_rate,
    weight_decay,
    n_iter_no_change=1,
    callbacks=(),
    verbose,
    seed,
    description=None,
):
    """Train `module`, and what `objective` has to learn, in place; return a dict of losses per epoch.

    `batch` holds all rows. Each is drawn once an epoch, or as `balance` says. The best epoch is chosen on
    the rows of `validation`, if given: training stops `n_iter_no_change` epochs after it, but not earlier
    than that after the peak of the learning rate. `learning_rate` is the peak of a one-cycle schedule
    (Smith and Topin 2018), `weight_decay` that of AdamW (Loshchilov and Hutter 2019).

    Raises
    ------
    ValueError
        If the loss or the network's weights do not stay finite.
    """
    device = batch.x.device
    generator = torch.Generator(device=device).manual_seed(seed)
    n_batches = max(1, round(len(batch) / batch_size))
    # Warm-up: from a random start, full steps make batch statistics and AdamW's moments useless for a
    # while. The rate rises to its peak and falls to almost zero, so the last epoch needs no selection.
    schedule = LRScheduler(
        torch.optim.lr_scheduler.OneCycleLR,
        max_lr=learning_rate,
        total_steps=max_epochs * n_batches
        + 1,  # skorch also asks for the rate after the last batch
        pct_start=_RISE,
        step_every="batch",
    )
    ours = [("schedule", schedule)]
    if validation is not None:
        stop = _EarlyStopping(int(_RISE * max_epochs), n_iter_no_change)
        ours.append(("early_stopping", stop))
    if verbose:
        ours.append(("progress", _Progress(description)))
    net = _Net(
        module,
        objective,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=weight_decay,
        lr=learning_rate,
        max_epochs=max_epochs,
        batch_size=batch_size,
        iterator_train=_Batches,
        iterator_train__augmentations=augmentations,
        iterator_train__generator=generator,
        iterator_train__balance=balance,
        iterator_train__block=block,
        iterator_valid=_Batches,
        train_split=None if validation is None else lambda rows: (rows, _Rows(validation)),
        callbacks=[*ours, *callbacks],
        callbacks__print_log=None,
        predict_nonlinearity=partial(torch.softmax, dim=1),
        verbose=0,
        device=device,
    )
    # batches, augmentations and dropout draw from one private generator in turns, so a seed gives the
    # same training in parallel threads too
    use_generator(module, generator)
    try:
        net.fit(_Rows(batch), y=None)
    finally:
        use_generator(module, None)
        module.eval()
    history = [{key: row[key] for key in row if _is_score(key, row[key])} for row in net.history]
    _require_converging(module, history, learning_rate, restored=validation is not None)
    return history


def _is_score(key, value):
    """Whether a value in skorch's history is a loss or the score of a callback."""
    own = ("dur", "train_batch_count", "valid_batch_count")
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_) and key not in own


def _require_converging(module, history, learning_rate, *, restored):
    """Raise if the network is not finite; `restored` is whether the best epoch has been restored."""
    broken = [row["epoch"] for row in history if not np.isfinite(row["train_loss"])]
    whole = all(values.isfinite().all() for values in module.state_dict().values())
    if whole and (restored or not broken or broken[-1] != history[-1]["epoch"]):
        return
    epoch = f" in epoch {broken[0]}" if broken else ""
    raise ValueError(
        f"The training diverged{epoch}: its loss or the network's weights are not finite. Lower "
        f"learning_rate={learning_rate:g}, or check X, the sample weights and the teacher's outputs for "
        "very large numbers."
    )


def with_shares_of(training, validation):
    """Weight the held-out rows so that their classes have the same shares as in the training part.

    If a class has few subjects, a split by subject cannot give both parts the same shares. A network
    that learns the shares of its training part would then seem to become worse.
    """
    n_classes = int(training.target.max()) + 1
    wanted, found = (part.label_weights(n_classes) for part in (training, validation))
    factor = torch.where(found > 0, wanted / found, 0)
    return replace(validation, weight=validation.weight * factor[validation.target])


def epochs_for(n_batches, n_rows, batch_size, most=100):
    """Return how many epochs make about `n_batches` batches, but at least 10 and at most `most`."""
    return int(np.clip(np.ceil(n_batches / max(1, round(n_rows / batch_size))), 10, most))


def evaluate(module, X, batch_size, shape):
    """Return logits and embeddings of X as arrays, computed in batches without gradients.

    `shape` is that of a row: its channels and frames.
    """
    reference = next(module.parameters())
    # one array each: many small ones between the batches would keep the allocator from reusing memory
    results = [
        np.empty((len(X), size), torch.empty(0, dtype=reference.dtype).numpy().dtype)
        for size in (module.head.out_features, module.head.in_features)
    ]
    module.eval()
    with torch.inference_mode():
        for start in range(0, len(X), batch_size):
            rows = slice(start, start + batch_size)
            output = module(torch.tensor(np.asarray(X[rows])).reshape(-1, *shape).to(reference))
            for result, values in zip(results, (output.logits, output.embedding), strict=True):
                result[rows] = values.cpu().numpy()
    return results
