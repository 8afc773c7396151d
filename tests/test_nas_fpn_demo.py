"""What the smoke run and the demonstration of NAS-FPN make of the evaluation's output."""

import json
import subprocess
import sys

import cv2
import mindspore as ms
import numpy as np
import pytest

from folders import BUILDING, REPOSITORY, import_from, load_config

SMOKE, JUDGE = REPOSITORY / "utils/smoke", REPOSITORY / "utils/bench/second_judge.py"


def python(code, *arguments):
    """Run `code` as a script in utils/smoke would run."""
    code = f"import sys; sys.path.insert(0, {str(SMOKE)!r}); {code}"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.fixture
def log(tmp_path, capsys):
    """What an evaluation prints that finds the 3 by 78 %, not the 1, where no other digit is."""
    truth = {
        "images": [{"id": 1, "file_name": "1.jpg", "height": 64, "width": 64}],
        "categories": [{"id": n, "name": str(n)} for n in range(10)],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": digit, "bbox": [x, x, 20, 20], "area": 400}
            for n, (digit, x) in enumerate([(3, 10), (1, 40)])
        ],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    annotations = import_from("nas_fpn", "src.annotations").read_annotations(
        str(tmp_path / "truth.json")
    )
    metrics = import_from("nas_fpn", "src.coco_eval").CocoMetrics(
        annotations, range(10), tmp_path / "predictions.json"
    )
    with metrics:
        found = np.float32([[10, 10, 30, 25.6]]), np.float32([0.9]), np.array([4])
        metrics.add(0, (64, 64), *found)
        mean = metrics.summarize(per_class=True)["mAP"]
    path = tmp_path / "eval.log"
    path.write_text(f"{capsys.readouterr().out}\nmAP: {mean}\n")
    return path


def test_figures_of_a_log(log):
    code = "import nas_fpn, json; print(json.dumps(nas_fpn.figures_of(open(sys.argv[1]).read())))"
    assert json.loads(python(code, log).stdout) == pytest.approx({"mAP": 0.3, "AP50": 0.5})


def test_table_by_class(log):
    code = "import demo_nas_fpn as demo; print(demo.by_class(open(sys.argv[1]).read()))"
    done = python(code, log)
    rows = [[str(n), "-", "-"] for n in range(10)]
    rows[1][1:], rows[3][1:] = ["0.000", "0.000"], ["0.600", "1.000"]
    assert done.stdout == f"{rows}\n", done


@pytest.mark.parametrize("name, other", [("mAP", 0.4), ("AP50", 0.69), (None, 0)])
def test_the_ways_must_agree_in_both_figures(name, other):
    figures = {"mAP": 0.5, "AP50": 0.7}
    found = {"checkpoint": figures, "C++": {**figures, **({name: other} if name else {})}}
    done = python(f"import nas_fpn; nas_fpn.require_agreement({found})")
    assert done.returncode == (1 if name else 0)
    assert not name or f"the ways to evaluate disagree in {name}" in done.stderr, done


def test_sheet_shows_pictures_from_first_to_last(tmp_path):
    for number in range(30):
        picture = np.full((20, 30, 3), 8 * number, np.uint8)
        cv2.imwrite(str(tmp_path / f"{number:03}.jpg"), picture)
    code = "import demo_nas_fpn as demo, pathlib as p; demo.draw_sheet(*map(p.Path, sys.argv[1:]))"
    done = python(code, tmp_path, tmp_path / "sheet.png")
    assert done.returncode == 0, done
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet.shape == (4 * 24, 6 * 34, 3)
    assert sheet[12, 17, 0] == 0 and abs(int(sheet[-12, -17, 0]) - 8 * 29) < 3


@pytest.fixture
def digits(tmp_path):
    """A COCO data set as digits_coco.py makes: four images with bright squares of two classes."""
    code = (
        "import coco_files, numpy, pathlib; squares = [numpy.zeros((128, 128, 3), 'uint8') for _"
        " in range(4)]; [square[20:60, 30:60].fill(255) for square in squares];"
        " [coco_files.write_split(pathlib.Path(sys.argv[1]), split, list('0123456789'), [(square,"
        " [(number % 2, [30, 20, 30, 40])]) for number, square in enumerate(squares)])"
        " for split in ('train2017', 'val2017')]"
    )
    done = python(code, tmp_path / "digits")
    assert done.returncode == 0, done.stderr
    return tmp_path / "digits"


def test_a_detector_starts_from_the_backbone_that_names_digits(digits, tmp_path, capsys):
    settings = {"backbone_blocks": [1] * 4, "backbone_width": 8, "image_size": 128, "seed": 1}
    training = {"steps": 3, "batch_size": 4, "lr": 0.001}
    script, path = SMOKE / "digit_backbone.py", tmp_path / "backbone.ckpt"
    command = [sys.executable, script, digits, path, json.dumps({**settings, **training})]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    named = done.stdout.split("at the three levels:")[1].split()
    assert len(named) == 3 and all(0 <= float(share) <= 1 for share in named)
    detector = import_from("nas_fpn", "src.retinanet_nasfpn")
    config = load_config("nas_fpn", BUILDING, ("--image_size", "128", "--backbone_width", "8"))
    config.backbone_blocks, config.nasfpn_input_channels = [1] * 4, [64, 128, 256]
    config.gamma, config.alpha = 2.0, 0.75  # of the loss
    network = detector.build_training_network(config)
    import_from("nas_fpn", "src.init_params").load_pre_trained(network, str(path))
    assert "not loaded: neck, head" in capsys.readouterr().out
    written = ms.load_checkpoint(str(path))
    own = network.parameters_dict()
    assert len(written) == sum(name.startswith("network.backbone.") for name in own)
    for name, value in written.items():
        assert np.array_equal(own[f"network.{name}"].asnumpy(), value.asnumpy()), name


def test_the_second_judge_takes_the_last_evaluation(tmp_path):
    (tmp_path / "log.txt").write_text(
        "epoch: 1 evaluation: {'mAP': 0.1}\nepoch: 2 evaluation: {'mAP': 0.25, 'AP50': -1.0}\nend\n"
    )
    code = (
        f"sys.path.insert(0, {str(JUDGE.parent)!r}); import second_judge, pathlib;"
        "print(second_judge.own_figures(pathlib.Path(sys.argv[1])))"
    )
    assert python(code, tmp_path / "log.txt").stdout == "{'mAP': 0.25, 'AP50': -1.0}\n"
    (tmp_path / "log.txt").write_text("epoch: 1 step: 3, loss is 2\n")
    done = python(code, tmp_path / "log.txt")
    assert done.returncode == 1 and "log.txt: no evaluation in it" in done.stderr
    command = [sys.executable, JUDGE, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "is missing; `make demo-nas_fpn` writes it" in done.stderr
