"""A plan survives its file, has one fingerprint, and refuses what would not be a fair question."""

import os
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiesel.comparison import Plan, PlannedArm, Rules, fingerprint, from_toml, recipe_of, to_toml
from wiesel.comparison.plan import Question
from wiesel.errors import BadValue, UnknownSetting

TEXT = """
first_seed = 7
[[arms]]
model = "resnet18"
[[arms]]
model = "resnet18:pooling=stride,activation=gelu"
name = "stride"
settings = { rate = 0.02, resolutions = [[0.5, 20]], flip = true }
[data]
source = "fashion-mnist"
[training]
epochs = 3
[rules]
margin = 0.003
"""


def plan(**changed):
    return Plan(**({"arms": (PlannedArm(model="resnet18"), PlannedArm(model="lenet5"))} | changed))


def test_a_file_becomes_recipes():
    read = from_toml(TEXT)
    assert [arm.title for arm in read.arms] == ["resnet18", "stride"]
    one, other = recipe_of(read, read.arms[0], 2), recipe_of(read, read.arms[1], 2)
    assert (one.architecture, one.seed, one.training.rate, one.training.epochs) == ("resnet18", 9, 0.0, 3)
    assert other.network.changes == ("pooling=stride", "activation=gelu")
    assert (other.seed, other.training.rate, other.training.resolutions, other.augmentation.flip) == (9, 0.02, ((0.5, 20),), True)
    assert one.data == other.data


def test_redrawn_divisions_move_with_the_run_and_are_shared_by_the_arms():
    redrawn = plan(divisions="redrawn")
    assert [recipe_of(redrawn, arm, run).data.split_seed for run in (0, 4) for arm in redrawn.arms] == [0, 0, 4, 4]
    assert recipe_of(plan(), plan().arms[0], 4).data.split_seed == 0


@settings(max_examples=25)
@given(
    st.floats(0, 0.5),
    st.integers(0, 99),
    st.dictionaries(st.sampled_from(["rate", "decay"]), st.floats(0, 0.5)),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
)
def test_writing_and_reading_gives_the_same_plan_and_fingerprint(margin, seed, own, name):
    made = plan(
        arms=(PlannedArm(model="resnet18"), PlannedArm(model="lenet5", settings=own, name=name and f"x{name}")),
        rules=Rules(margin=margin),
        first_seed=seed,
    )
    again = from_toml(to_toml(made))
    assert again == made
    assert fingerprint(again) == fingerprint(made)


def test_everything_is_written_out_also_of_a_plan_from_a_short_file():
    written = to_toml(from_toml(TEXT))
    for setting in ("momentum", "alphas", "validation", "shift", "zero_init_last_norm", "budget"):
        assert f"{setting} = " in written


def test_lists_and_tuples_are_the_same_decision():
    one, other = ({"resolutions": [[0.5, 20]]}, {"resolutions": ((0.5, 20),)})
    both = [plan(arms=(PlannedArm(model="lenet5"), PlannedArm(model="lenet5", name="b", settings=s))) for s in (one, other)]
    assert both[0] == both[1]
    assert fingerprint(from_toml(to_toml(both[0]))) == fingerprint(both[1])


def test_every_decision_is_in_the_fingerprint_and_layout_is_not():
    base = fingerprint(from_toml(TEXT))
    assert re.fullmatch("[0-9a-f]{64}", base)
    lines = TEXT.replace("first_seed = 7\n", "first_seed = 7  # a note\n").replace(
        'source = "fashion-mnist"', "source='fashion-mnist'"
    )
    assert fingerprint(from_toml(lines)) == base
    for old, new in [
        ("0.003", "0.004"),
        ("epochs = 3", "epochs = 4"),
        ("= 7", "= 8"),
        ("gelu", "relu"),
        ("0.02", "0.03"),
        ('"stride"', '"s"'),
    ]:
        assert fingerprint(from_toml(TEXT.replace(old, new))) != base
    assert fingerprint(from_toml(TEXT + "looks = [3, 6, 10]\n")) != base
    assert fingerprint(from_toml(TEXT + "cap = 5\n")) != base


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"arms": (PlannedArm(model="lenet5"),)}, BadValue, "2 to 10 arms"),
        ({"arms": (PlannedArm(model="lenet5"),) * 2}, BadValue, "name of its own"),
        ({"arms": tuple(PlannedArm(model="lenet5", name=str(i)) for i in range(11))}, BadValue, "search"),
        ({"budget": "seconds", "seconds": -1.0}, BadValue, "seconds"),
        ({"seconds": 60.0}, BadValue, "seconds"),
        ({"first_seed": -1}, BadValue, "first_seed"),
    ],
)
def test_unfair_or_impossible_plans_are_refused(changed, kind, said, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(kind, match=said):
        plan(**changed)


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"source": "mnist"}, BadValue, "the same for every arm"),
        ({"split_seed": 3}, BadValue, "the same for every arm"),
        ({"epochs": 9}, BadValue, "budget = 'free'"),
        ({"changes": ["norm=off"]}, BadValue, "model ="),
        ({"rat": 0.1}, UnknownSetting, "rate"),
        ({"rate": "fast"}, BadValue, "float"),
        ({"momentum": 2.0}, BadValue, "momentum"),
    ],
)
def test_an_arm_may_differ_only_where_that_is_fair(settings, kind, said, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(kind, match=re.escape(said)):
        plan(arms=(PlannedArm(model="lenet5"), PlannedArm(model="resnet18", settings=settings)))


def test_a_free_budget_lets_epochs_differ():
    free = plan(budget="free", arms=(PlannedArm(model="lenet5"), PlannedArm(model="lenet5", settings={"epochs": 9})))
    assert recipe_of(free, free.arms[1], 0).training.epochs == 9


@pytest.mark.parametrize(
    ("extra", "kind", "said"),
    [
        ("look = 3\n", UnknownSetting, "looks"),
        ("looks = [10, 3, 5]\n", BadValue, "looks"),
        ("cap = 99\n", BadValue, "cap"),
        ("margin = \n", BadValue, "TOML"),
    ],
)
def test_a_file_with_a_mistake_says_which(extra, kind, said, monkeypatch):
    monkeypatch.setenv("WIESEL_LANG", "en")
    with pytest.raises(kind, match=said):
        from_toml(TEXT.replace("margin = 0.003\n", "") + extra)
    with pytest.raises(UnknownSetting, match="model"):
        from_toml(TEXT.replace('model = "resnet18"\n', 'modell = "resnet18"\n'))


def test_the_room_loads_no_torch():
    program = "import sys, wiesel.comparison; print([name for name in ('torch', 'matplotlib', 'pytorch_lightning') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.strip() == "[]"


def test_an_arm_may_be_measured_against_another_than_the_first() -> None:
    arms = (PlannedArm(model="plain20"), PlannedArm(model="resnet20"), PlannedArm(model="resnet56", against="resnet20"))
    assert Plan(arms=arms).against() == (0, 1)
    assert from_toml(to_toml(Plan(arms=arms))) == Plan(arms=arms)


@pytest.mark.parametrize(("number", "against"), [(0, "resnet20"), (1, "resnet56"), (1, "resnet20")])
def test_an_arm_cannot_be_measured_against_nobody_or_itself(number: int, against: str) -> None:
    names = ["plain20", "resnet20"]
    arms = tuple(PlannedArm(model=name, against=against if i == number else "") for i, name in enumerate(names))
    with pytest.raises(BadValue, match=r"arms\.\w+\.against"):
        Plan(arms=arms)


def test_the_question_is_not_part_of_the_fingerprint() -> None:
    arms = (PlannedArm(model="plain20"), PlannedArm(model="resnet20"))
    assert fingerprint(Plan(arms=arms, question=Question(en="Why?"))) == fingerprint(Plan(arms=arms))
    assert fingerprint(Plan(arms=arms, training_error=True)) != fingerprint(Plan(arms=arms))


LARGE = """
[[arms]]
model = "lenet5"
[[arms]]
model = "simple_cnn"
[training]
epochs = 2
batch = 64
[full.data]
source = "fashion-mnist"
[full.training]
epochs = 30
"""


def test_the_large_form_changes_what_its_table_says_and_nothing_else() -> None:
    short, full = from_toml(LARGE), from_toml(LARGE, full=True)
    assert (short.training.epochs, short.data.source) == (2, "fashion-mnist-sample")
    assert (full.training.epochs, full.training.batch, full.data.source) == (30, 64, "fashion-mnist")


def test_a_large_form_with_a_mistake_or_without_a_table_is_refused() -> None:
    with pytest.raises(UnknownSetting, match="epochs"):
        from_toml(LARGE.replace("epochs = 30", "epoch = 30"), full=True)
    with pytest.raises(BadValue, match="full"):
        from_toml(LARGE[: LARGE.index("[full")], full=True)
