from pathlib import Path

import pytest

from mailer.demo import stage
from mailer.errors import Mistake


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / "letters.txt").write_text("mine")

    with pytest.raises(Mistake, match="holds something else"), stage.cleared(tmp_path):
        pass

    assert (tmp_path / "letters.txt").read_text() == "mine"


def test_an_earlier_demo_is_thrown_away_and_a_running_one_is_not(tmp_path: Path):
    folder = tmp_path / "demo"
    with stage.cleared(folder):
        (folder / "data").mkdir()
        with pytest.raises(Mistake, match="running"), stage.cleared(folder):
            pass
        assert (folder / "data").exists()

    with stage.cleared(folder):
        assert not (folder / "data").exists()
