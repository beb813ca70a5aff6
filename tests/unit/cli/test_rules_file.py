"""Rules in files: merged over a preset's, to the digit, and refused where they say nothing."""

import json
from pathlib import Path

import pytest

from laurel.common.v1 import types_pb2
from laurel.scoring.v1 import preset_pb2
from laurel_cli.errors import UsageError
from laurel_cli.rpc.rules_file import rules_over

COMMIT, COMMENT, REVIEW = (
    types_pb2.SIGNAL_TYPE_COMMIT,
    types_pb2.SIGNAL_TYPE_COMMENT,
    types_pb2.SIGNAL_TYPE_REVIEW,
)
FIRST = preset_pb2.MULTIPLIER_KIND_FIRST_ACTIVITY
BASE = preset_pb2.Rules(
    base_points=[
        preset_pb2.BasePoints(type=COMMIT, points_e4=100_000),
        preset_pb2.BasePoints(type=COMMENT, points_e4=30_000),
    ],
    multipliers=[
        preset_pb2.Multiplier(kind=FIRST, factor_e4=15_000, signal_types=[COMMIT, COMMENT])
    ],
    daily_quotas=[preset_pb2.DailyQuota(type=COMMENT, max_signals=4)],
    zero_point_conditions=[preset_pb2.ZERO_POINT_KIND_SELF_MERGE],
    weekly_threshold=9,
    decay_factor_e4=1_100,
)
TOML = """
weekly_threshold = 5
decay_factor = 0.0001
spam_penalty = -20
zero_point_conditions = ["self_review", "bot-activity"]
[base_points]
commit = 12.5
comment = false
review = 7
[daily_quotas]
comment = false
[review_state_weights]
approved = 1.5
[multipliers.first_activity]
factor = 2
"""
CHANGED = preset_pb2.Rules(
    base_points=[
        preset_pb2.BasePoints(type=COMMIT, points_e4=125_000),
        preset_pb2.BasePoints(type=REVIEW, points_e4=70_000),
    ],
    multipliers=[
        preset_pb2.Multiplier(kind=FIRST, factor_e4=20_000, signal_types=[COMMIT, COMMENT])
    ],
    review_state_weights=[
        preset_pb2.ReviewStateWeight(state=types_pb2.REVIEW_STATE_APPROVED, weight_e4=15_000)
    ],
    zero_point_conditions=[
        preset_pb2.ZERO_POINT_KIND_SELF_REVIEW,
        preset_pb2.ZERO_POINT_KIND_BOT_ACTIVITY,
    ],
    weekly_threshold=5,
    decay_factor_e4=1,
    spam_penalty_e4=-200_000,
)


def written(directory: Path, text: str, name: str = "rules.toml") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def test_what_a_file_says_is_laid_over_the_rules(tmp_path: Path) -> None:
    base = preset_pb2.Rules()
    base.CopyFrom(BASE)
    assert rules_over(base, written(tmp_path, TOML)) == CHANGED
    assert base == BASE


def test_json_of_the_same_shape_says_the_same(tmp_path: Path) -> None:
    document = {
        "weekly_threshold": 5,
        "decay_factor": 0.0001,
        "spam_penalty": -20,
        "zero_point_conditions": ["self_review", "bot_activity"],
        "base_points": {"commit": 12.5, "comment": False, "review": 7},
        "daily_quotas": {"comment": False},
        "review_state_weights": {"approved": 1.5},
        "multipliers": {"first_activity": {"factor": 2}},
    }
    assert rules_over(BASE, written(tmp_path, json.dumps(document), "rules.json")) == CHANGED


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert rules_over(BASE, written(tmp_path, "")) == BASE


def test_a_multiplier_goes_and_its_types_can_be_others(tmp_path: Path) -> None:
    assert not rules_over(BASE, written(tmp_path, "multipliers.first_activity = false")).multipliers
    text = "[multipliers.merged_pr_commit]\nfactor = 1.2\nsignal_types = ['commit']"
    (merged, first) = rules_over(BASE, written(tmp_path, text)).multipliers
    assert first == BASE.multipliers[0]
    assert (merged.factor_e4, list(merged.signal_types)) == (12_000, [COMMIT])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("points = 3", "no rule 'points'"),
        ("weekly_threshold = 1.5", "weekly_threshold is a whole number"),
        ("weekly_threshold = true", "weekly_threshold is a whole number"),
        ("decay_factor = 0.00001", "decay_factor is a number of four decimals at most"),
        ("decay_factor = nan", "decay_factor is a number of four decimals at most"),
        ("decay_factor = 'much'", "decay_factor is a number"),
        ("spam_penalty = -1e30", "spam_penalty is a number of four decimals"),
        ("base_points = 3", "base_points is a table"),
        ("base_points.likes = 3", "base_points is one of commit, pr_open"),
        ("daily_quotas.commit = 2.5", "daily_quotas.commit is a whole number"),
        ("zero_point_conditions = 'self_review'", "zero_point_conditions is a list of words"),
        ("multipliers.first_activity.times = 2", "has a factor and signal_types"),
        ("this is no TOML", "rules.toml"),
    ],
)
def test_what_says_no_rules_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rules_over(BASE, written(tmp_path, text))


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        rules_over(BASE, tmp_path / "none.toml")
