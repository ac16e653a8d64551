"""What each stage of the study fits, by kind of choice; the inner splits rank the choices."""

from benchmarks.study import _models
from benchmarks.study._models import (
    CONTRASTIVE,
    NETWORKS,
    TEACHER,
    TEACHERS,
    TUNED,
    WEIGHTS,
    WON,
    contrastive,
    distilled,
    losses_for,
    out_of_fold,
    own,
    refined_by_kmeans,
    scratch,
    trained,
    tried,
    tuned,
    with_loss,
)
from sklearn_heartkd.comparison import N_SYNTHETIC

STUDENT = f"student_of_{TEACHER}"
OTHERS = tuple(name for name in (*NETWORKS, "ensemble") if name != TEACHER)
FOREST_LOSSES = ("kd", TUNED, "hint", "kd+hint")
# the first two of each are compared with every teacher
FINAL_LOSSES = ("hint", "kd+hint", "kd+infonce+hint", "pkt")
FINAL_SETTINGS = ((1, WEIGHTS[0]), WON, (1, WON[1]), (WON[0], WEIGHTS[0]))
INNER = ("select", "finals", "starts")
OUTER = ("losses", "teachers", "teaching", "sizes")


def candidates():
    """Return what the first seed compares on the inner splits: models by kind and choice."""
    plain = {"ce": own("student")}
    found = {
        "class weight": {
            "0.3": own("student"),
            "none": scratch("class_weight-None", False, class_weight=None),
            "0.5": scratch("class_weight-0.5", False, class_weight=0.5),
            "balanced": scratch("class_weight-balanced", False, class_weight="balanced"),
        },
        "batch size": {
            "16": own("student"),
            "32": scratch("batch_size-32", False, batch_size=32),
        },
        "teacher": {name: tuned(name) for name in (TEACHER, *NETWORKS, "ensemble")},
        "loss": plain | {loss: tried(TEACHER, loss) for loss in losses_for(TEACHER)},
        "loss by the forest": plain | {loss: tried("forest", loss) for loss in FOREST_LOSSES},
        "temperature": {str(t): tuned(TEACHER, t) for t in (1, 2, 4)},
        "weights": {" + ".join(map(str, w)): tuned(TEACHER, weights=w) for w in WEIGHTS},
    }
    for name in (TEACHER, "student", STUDENT):
        found[f"k-means of {name}"] = {"none": own(name)} | {
            f"{count} clusters, weight {weight}": refined_by_kmeans(name, count, weight)
            for count in ("auto", 10, 20)
            for weight in (0.25, 0.5)
        }
    return found


def final_name(temperature, weights):
    """Return the name of the tuned loss with some settings."""
    return f"{TUNED}, temperature {temperature}, weights {' + '.join(map(str, weights))}"


def finals(teacher=TEACHER, first=None):
    """Return the students of a teacher from which the default is chosen."""
    found = {loss: tried(teacher, loss) for loss in FINAL_LOSSES[:first]}
    return found | {final_name(t, w): tuned(teacher, t, w) for t, w in FINAL_SETTINGS[:first]}


def trainings():
    """Return models by contrastive start and by augmentation; every seed compares them."""
    usual = {"student": own("student"), STUDENT: tuned(TEACHER, *WON), TEACHER: own(TEACHER)}
    starts = {
        "student": lambda name: scratch(f"pretrained_{name}", False, pretrain=CONTRASTIVE[name]),
        STUDENT: lambda name: tuned(TEACHER, *WON, name),
    }
    return {
        f"start of {name}": {"none": usual[name]} | {start: make(start) for start in CONTRASTIVE}
        for name, make in starts.items()
    } | {
        f"augmentation of {name}": {
            "default": model,
            "with noise": trained(name, "noise", noise=True),
        }
        for name, model in usual.items()
    }


def labelled_starts():
    """Return models by their start from labeled synthetic recordings; every seed compares them."""
    n = N_SYNTHETIC
    found = {}
    for name in (*NETWORKS, "student", STUDENT):
        choices = {"none": tuned(TEACHER, *WON) if name == STUDENT else own(name)}
        choices[f"{n:,} synthetic recordings"] = trained(name, "labelled", 1)
        if name != STUDENT:
            choices[f"{n:,}, windows twice as long"] = trained(name, "labelled_long", 1, 2)
        if name not in NETWORKS:
            noisy = trained(name, "labelled_noise", 1, noise=True)
            choices[f"{n:,}, and noise in training"] = noisy
        if name == "student":
            for label, amount in (("labelled_quarter", 0.25), ("labelled_fourfold", 4)):
                model = trained(name, label, amount)
                choices[f"{round(amount * n):,} synthetic recordings"] = model
        found[f"labelled start of {name}"] = choices
    return found


def pairs(losses):
    """Return the differences on the outer folds as a list of (family, model, baseline)."""
    student = own("student")
    ways = {"augmented": own(STUDENT), "out of fold": out_of_fold()}
    cached = distilled(TEACHER, "cached", teacher_outputs="cached")
    found = [("losses", with_loss(TEACHER, loss), student) for loss in losses_for(TEACHER)]
    found += [
        ("teachers", with_loss(teacher, loss), student)
        for teacher in TEACHERS
        for loss in dict.fromkeys([*losses, TUNED])
        if loss in losses_for(teacher)
    ]
    found += [("over the teacher", with_loss(name, TUNED), own(name)) for name in TEACHERS]
    found += [("teaching", model, cached) for model in ways.values()]
    for name in ("student", TEACHER):
        found += [("pretraining", contrastive(name, made), own(name)) for made in (False, True)]
    start = distilled(TEACHER, "pretrained", {"pretrain": "contrastive"})
    found += [("pretraining", start, own(STUDENT))]
    for label, size in _models.SIZES.items():
        plain, taught = scratch(label, **size), distilled(TEACHER, label, size)
        found += [("sizes", taught, plain) if size else ("sizes", own(STUDENT), student)]
    return found


def models_of(stage, losses):
    """Return the models of a stage; `losses` are those that the inner splits chose."""
    if stage == "select":
        kinds = [*candidates().values(), *(finals(name, 2) for name in OTHERS)]
    elif stage == "finals":
        kinds = [{"ce": own("student")}, finals(), *trainings().values()]
    elif stage == "starts":
        kinds = labelled_starts().values()
    else:
        families = {"teachers": ("teachers", "over the teacher")}.get(stage, (stage,))
        if stage == "teaching":
            families = ("teaching", "pretraining")
        chosen = [pair[1:] for pair in pairs(losses) if pair[0] in families]
        return list({model.name: model for pair in chosen for model in pair}.values())
    return list({m.name: m for choices in kinds for m in choices.values()}.values())
