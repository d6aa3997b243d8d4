"""The bench's own arithmetic: which turn counts, what is measured again, what the tables say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bench.contest import Contender, Contest, able, difference
from tests.bench.ledger import ROOT, Ledger
from tests.bench.reasons import AIMS, WHY, aim
from tests.bench.report import gflop, report, table
from tests.bench.speed import PARTS, ROWS, STAGES, planned
from tests.bench.turns import BUSY, Turn, at_once, counted, least, median, order, ratio, share_of_others

# Turns


@pytest.mark.parametrize(
    ("wall", "idle", "own", "share"),
    [
        (10.0, 0.0, 20.0, 0.0),  # both cores were ours
        (10.0, 10.0, 10.0, 0.0),  # one was ours, one idled
        (10.0, 5.0, 10.0, 0.25),  # a quarter of the machine was somebody else's
        (10.0, 0.0, 0.0, 1.0),
        (10.0, 15.0, 10.0, 0.0),  # clocks that disagree are no others
        (0.3, 0.0, 0.1, 0.0),  # too short to say
    ],
)
def test_the_share_of_others_is_what_neither_idled_nor_was_ours(
    wall: float, idle: float, own: float, share: float
) -> None:
    assert share_of_others(wall=wall, cores=2, idle=idle, own=own) == pytest.approx(share)


def test_the_last_undisturbed_turn_counts_and_else_the_least_disturbed() -> None:
    quiet, loud, louder = Turn(3.0, 0.05), Turn(4.0, 0.3), Turn(5.0, 0.6)
    assert counted([loud, quiet]) is quiet
    assert counted([louder, loud, Turn(6.0, 0.5)]) is loud
    assert not Turn(1.0, BUSY).disturbed


def test_medians_and_ratios() -> None:
    assert median([Turn(9.0), Turn(1.0), Turn(2.0)]) == 2.0
    assert ratio(2.0, 3.0) == 1.5
    assert ratio(None, 3.0) is None
    assert ratio(2.0, None) is None


def test_everybody_is_first_in_some_round() -> None:
    names = ["limner", "diffusers", "openvino"]
    rounds = [order(names, number) for number in range(3)]
    assert {one[0] for one in rounds} == set(names)
    assert all(sorted(one) == sorted(names) for one in rounds)
    assert order([], 1) == []


def test_peers_play_one_after_another_where_memory_is_short() -> None:
    needs = {"limner": 7.0, "diffusers": 5.0, "openvino": 8.0}
    assert at_once(["limner"], ["diffusers", "openvino"], needs, 20.0) == [["diffusers", "openvino"]]
    assert at_once(["limner"], ["diffusers", "openvino"], needs, 19.0) == [["diffusers"], ["openvino"]]
    assert at_once(["limner"], [], needs, 1.0) == [[]]
    assert least(["limner"], ["diffusers", "openvino"], needs) == 15.0
    assert least(["limner"], [], needs) == 7.0


class Scripted(Contender):
    """Answers with turns that were thought of before."""

    def __init__(self, turns: list[Turn | None]) -> None:
        super().__init__("limner", process=None)  # type: ignore[arg-type]
        self.left = turns

    def _once(self, row: Any, keep: Any) -> Turn | None:
        return self.left.pop(0)


def test_a_disturbed_turn_is_taken_again_at_most_three_times() -> None:
    row = ("unet", 256, 256, 1)
    assert Scripted([Turn(9.0, 0.5), Turn(2.0, 0.0), Turn(7.0)]).turn(row) == 2.0
    assert Scripted([Turn(9.0, 0.5), Turn(8.0, 0.2), Turn(7.0, 0.4), Turn(1.0)]).turn(row) == 8.0
    assert Scripted([None, Turn(1.0)]).turn(row) is None


def test_the_difference_is_over_the_peers_largest_number(tmp_path: Path) -> None:
    for name, values in {
        "a": [1.0, -3.0],
        "b": [1.0, -4.0],
        "c": [1.0],
        "bytes": [255, 51],
        "unit": [1.0, 0.3],
    }.items():
        np.save(tmp_path / f"{name}.npy", np.array(values))
    files = {file.stem: file for file in tmp_path.glob("*.npy")}
    assert difference(files["a"], files["b"]) == 0.25
    assert difference(files["a"], files["c"]) is None
    assert difference(files["bytes"], files["unit"]) == pytest.approx(0.1)
    assert difference(files["a"], tmp_path / "none.npy") is None


# What is kept


def entry(**changes: Any) -> dict[str, Any]:
    plain = {
        "ours": "limner", "peer": "diffusers", "row": ["unet", 256, 256, 1], "rounds": 3,
        "turns": {"limner": [1.5, 1.6, 1.7], "diffusers": [2.4, 2.5, 2.3]},
        "seconds": {"limner": 1.6, "diffusers": 2.4}, "peak": {"limner": 7 << 30, "diffusers": 4 << 30},
        "others": 0.01, "errors": [], "compiled": {}, "difference": 2.2e-5, "date": "2026-11-25", "source": "abc",
    }  # fmt: skip
    return plain | changes


def part(**changes: Any) -> dict[str, Any]:
    plain = {
        "name": "start", "title": "Start", "text": "one\n| a |\n|---|\n| 1 |\ntwo\n", "others": 0.0, "seconds": 1.0,
        "place": 3, "date": "2026-11-26", "source": "abc",
    }  # fmt: skip
    return plain | changes


def test_rows_of_several_invocations_add_up_and_a_later_one_replaces_its_own(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    Ledger(file, "this machine").add_row(entry())
    ledger = Ledger(file, "this machine")
    ledger.add_row(entry(peer="openvino"))
    ledger.add_row(entry(difference=1e-6))
    ledger.add_part(part())
    told = Ledger(file, "this machine").told
    assert [(one["peer"], one["difference"]) for one in told["rows"]] == [("openvino", 2.2e-5), ("diffusers", 1e-6)]
    assert [one["name"] for one in told["parts"]] == ["start"]


def test_another_machine_begins_anew_and_so_does_a_damaged_file(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    Ledger(file, "this machine").add_row(entry())
    assert Ledger(file, "another machine").told["rows"] == []
    file.write_text(file.read_text()[:40])
    assert Ledger(file, "this machine").told["rows"] == []


def test_the_rate_is_the_best_that_was_seen(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "results.json", "this machine")
    ledger.note(rate=200.0)
    ledger.note(rate=150.0, versions="torch 2")
    assert json.loads((tmp_path / "results.json").read_text())["rate"] == 200.0


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({}, True),
        ({"source": "an earlier Limner"}, False),
        ({"rounds": 1}, False),
        ({"others": 0.2}, False),
        ({"errors": ["limner: TypeError"]}, False),
        ({"peer": "openvino"}, False),
    ],
)
def test_only_what_is_missing_disturbed_or_changed_is_measured_again(
    tmp_path: Path, changes: dict[str, Any], done: bool
) -> None:
    ledger = Ledger(tmp_path / "results.json", "this machine")
    ledger.add_row(entry(**changes))
    assert ledger.has_row("limner", "diffusers", ("unet", 256, 256, 1), 2, "abc") is done


def test_a_part_is_done_with_the_same_program_on_a_quiet_machine(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "results.json", "this machine")
    assert not ledger.has_part("start", "abc")
    ledger.add_part(part())
    assert ledger.has_part("start", "abc")
    assert not ledger.has_part("start", "abd")
    ledger.add_part(part(others=0.5))
    assert not ledger.has_part("start", "abc")


# What is asked for


def test_all_stages_of_the_bench_are_planned_for_at_least_two_sizes() -> None:
    sizes = {stage: {one.row[1:3] for one in ROWS if one.row[0] == stage} for stage in ("unet", "decode", "encode")}
    assert all({(256, 256), (512, 512)} <= some for some in sizes.values())
    assert {(768, 768), (512, 768)} <= sizes["unet"]
    assert {one.row[0] for one in ROWS} >= {"text", "preview", "paste", "load", "picture", "inpaint"}
    assert {"saving", "masks", "previews", "start", "memory"} <= set(PARTS)


def test_rows_are_chosen_by_stage_and_size() -> None:
    some = planned(["unet"], ["256", "512x768"], rounds=5, steps=20, whole_steps=2)
    assert [row for row, _ in some] == [("unet", 256, 256, 1), ("unet", 512, 768, 1)]
    assert [rounds for _, rounds in some] == [5, 2]
    for asked, given in ((2, [2, 1]), (1, [1, 1])):
        few = planned(["unet"], ["256", "512x768"], rounds=asked, steps=20, whole_steps=2)
        assert [rounds for _, rounds in few] == given
    assert planned([], [], 1, 7, 3)[-1][0] == ("inpaint-whole", 1024, 1024, 3)
    assert {row[3] for row, _ in planned(["picture", "inpaint"], [], 1, 7, 3)} == {7}
    assert len(planned([], [], 3, 20, 2)) == len(ROWS)


def test_peers_are_asked_only_for_what_they_have() -> None:
    assert able("limner", "preview")
    assert not able("diffusers", "preview")
    assert not able("openvino", "inpaint")


# What is written


def test_the_table_tells_times_ratio_floor_difference_and_memory() -> None:
    text = report({"machine": "Some CPU", "rate": 180.1, "rows": [entry()], "parts": []})
    row = next(line for line in text.splitlines() if line.startswith("| UNet step | 256"))
    assert (
        row
        == "| UNet step | 256 x 256 | Limner | 1.60 | diffusers | 2.40 | **1.50** | 2.00 | 2.2e-05 | 7.0 / 4.0 | 3 |"
    )


def test_a_row_that_falls_short_says_by_how_much_and_why() -> None:
    slow = entry(row=["encode", 512, 512, 1], seconds={"limner": 8.0, "diffusers": 6.0})
    won = entry(row=["encode", 256, 256, 1], seconds={"limner": 1.0, "diffusers": 1.2})
    short = report({"machine": "", "rate": 1.0, "rows": [slow, won, entry()], "parts": []}).split("falls short\n")[1]
    assert "| VAE encode | 512 x 512 | diffusers | 0.75 | 1.00 | 25% |" in short
    assert "| UNet step | 256 x 256 | diffusers | 1.50 | 1.65 | 9% |" in short  # quicker, and not what is aimed at
    assert "256 x 256 | diffusers | 1.20" not in short
    assert all(line.count("|") == 8 and not line.endswith("| |") for line in short.splitlines() if line.startswith("|"))


def test_where_everything_is_won_it_says_so() -> None:
    assert "Nowhere" in report({"machine": "", "rate": 1.0, "rows": [entry(seconds={"limner": 1.0})], "parts": []})


def test_disturbed_and_failed_rows_are_marked() -> None:
    rows = [entry(others=0.25), entry(peer="openvino", errors=["openvino: RuntimeError"], seconds={}, turns={})]
    text = report({"machine": "", "rate": 1.0, "rows": rows, "parts": [part(others=0.5)]})
    assert "| 3 † 25% |" in text
    assert "| failed: openvino: RuntimeError |" in text
    assert "† Other programs took 50% of the machine." in text


def test_what_an_earlier_limner_did_is_marked() -> None:
    told = {"machine": "", "rate": 1.0, "source": "new", "rows": [entry(), entry(peer="openvino", source="new")]}
    lines = report(told | {"parts": [part(), part(name="masks", source="new")]}).splitlines()
    assert [line.endswith("‡ |") for line in lines if line.startswith("| UNet step | 256 x 256 | Limner")] == [
        True,
        False,
    ]
    assert sum(line.startswith("‡ ") for line in lines) == 1
    assert "HEAD:app` = new" in lines[-1]


def test_parts_stand_in_their_order_with_their_tables_set_apart() -> None:
    parts = [part(), part(name="saving", title="Computing less", place=0)]
    text = report({"machine": "", "rate": 1.0, "rows": [], "parts": parts})
    assert text.index("## Computing less") < text.index("## Start")
    assert "one\n\n| a |\n|---|\n| 1 |\n\ntwo\n" in text
    assert "measured 2026-11-26." in text


def test_no_place_of_this_machine_gets_into_the_results() -> None:
    told = f"kept at {ROOT}/build/x.png and /some/where/else.txt, 1.5/2.5 s, p99 / longest\n"
    text = report({"machine": "", "rate": 1.0, "rows": [], "parts": [part(text=told)]})
    assert "kept at build/x.png and …, 1.5/2.5 s, p99 / longest" in text
    assert str(ROOT) not in text


def test_the_work_of_a_picture_is_that_of_its_stages() -> None:
    assert gflop("unet", 512, 512, 1) == 1606.5
    assert gflop("unet", 512, 500, 1) is None
    assert gflop("preview", 512, 512, 1) is None
    assert gflop("picture", 256, 256, 20) == pytest.approx(26.6 + 20 * 360.2 + 622.2)


def test_a_table_refuses_a_row_that_does_not_fit() -> None:
    assert table(("a", "b"), [("1", "2")]) == ["| a | b |", "|---|---|", "| 1 | 2 |"]
    with pytest.raises(ValueError, match="1 cells"):
        table(("a", "b"), [("1",)])


def test_all_rows_can_fall_short_and_those_with_an_aim_of_their_own_know_why() -> None:
    for one in ROWS:
        for peer in ("diffusers", "openvino"):
            stage, width, height, _ = one.row
            rows = [entry(row=list(one.row), peer=peer, seconds={"limner": 2.0, peer: 1.0})]
            wanted = aim(stage, width, height, peer)
            assert f"| 0.50 | {wanted:.2f} |" in report({"machine": "", "rate": 1.0, "rows": rows, "parts": []})
    assert all(stage in STAGES for stage, _ in [*AIMS, *WHY])


# A game


class Player:
    """Notes what is asked of it, in the place of a process."""

    def __init__(self, name: str, log: list[tuple[str, str, str]], seconds: float | None) -> None:
        self.name, self.load, self.compiled, self.errors = name, 0.0, {}, []
        self._log, self._seconds = log, seconds

    def get_ready(self, row: Any) -> None:
        self._log.append((self.name, "ready", row[0]))

    def warm_up(self, row: Any) -> None:
        self._log.append((self.name, "warm", row[0]))

    def take(self, row: Any, keep: Path | None = None) -> Turn | None:
        self._log.append((self.name, "turn", row[0]))
        if self._seconds is None:
            self.errors.append("RuntimeError: /a/place/of/this/machine")
            return None
        return Turn(self._seconds, 0.0, 1 << 30)

    def stop(self) -> None:
        self._log.append((self.name, "stop", ""))


def game(log: list[tuple[str, str, str]], **seconds: float | None) -> Contest:
    class Game(Contest):
        def start(self, name: str) -> Any:
            log.append((name, "start", ""))
            return Player(name, log, seconds[name])

    return Game(ours=["limner"], peers=list(seconds)[1:], model=Path(), pythons={}, source="abc")


def test_engines_take_turns_after_a_warm_up_each_first_in_its_round() -> None:
    log: list[tuple[str, str, str]] = []
    rows = list(game(log, limner=2.0, diffusers=3.0).run([(("unet", 256, 256, 1), 2)]))
    assert [name for name, what, _ in log if what == "turn"] == ["limner", "diffusers", "diffusers", "limner"]
    assert [what for name, what, _ in log if name == "limner"] == ["start", "ready", "warm", "turn", "turn", "stop"]
    assert rows[0]["seconds"] == {"limner": 2.0, "diffusers": 3.0}
    assert rows[0]["turns"]["diffusers"] == [3.0, 3.0]


def test_each_peer_gets_a_row_and_goes_when_nothing_is_left_for_it() -> None:
    log: list[tuple[str, str, str]] = []
    asked = [(("unet", 256, 256, 1), 1), (("inpaint", 1024, 1024, 20), 1)]
    rows = list(game(log, limner=2.0, diffusers=3.0, openvino=1.0).run(asked))
    assert [(one["row"][0], one["peer"]) for one in rows] == [
        ("unet", "diffusers"),
        ("unet", "openvino"),
        ("inpaint", "diffusers"),
    ]
    assert log.index(("openvino", "stop", "")) < log.index(("limner", "turn", "inpaint"))
    assert not any(what == "warm" and stage == "inpaint" for _, what, stage in log)


def test_what_an_engine_cannot_do_is_told_without_places() -> None:
    rows = list(game([], limner=2.0, diffusers=None).run([(("text", 512, 512, 1), 1)]))
    assert rows[0]["errors"] == ["diffusers: RuntimeError"]
    assert rows[0]["seconds"] == {"limner": 2.0}


def test_nothing_is_begun_when_time_is_up() -> None:
    log: list[tuple[str, str, str]] = []
    assert not list(game(log, limner=2.0, diffusers=3.0).run([(("unet", 256, 256, 1), 1)], lambda row: False))
    assert not log


def test_a_process_that_has_ended_is_told_and_ends_nothing_else() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.wait()
    one = Contender("limner", process)
    one.get_ready(("unet", 256, 256, 1))
    assert one.take(("unet", 256, 256, 1)) is None
    one.stop()
    assert one.errors == ["the process ended"] * 2
