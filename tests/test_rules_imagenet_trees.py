"""Trees of ImageNet and Tiny ImageNet as they are shipped, in every classifier."""

import shutil

import pytest

from folders import CLASSIFIERS, import_from
from places import CLASSES, COLOURS, class_folders, save_photo
from test_rules_trees import Judge


@pytest.fixture(params=CLASSIFIERS)
def judge(request, tmp_path):
    return Judge(request.param, tmp_path)


def test_tiny_imagenet_as_shipped(judge):
    """Validation images lie flat beside a file of classes, training images one level lower."""
    lines = []
    for name in CLASSES:
        for number in range(2):
            file_name = f"val_{name}{number}.JPEG"
            save_photo(judge.root / "tiny/val/images" / file_name, COLOURS[name], seed=number)
            lines.append(f"{file_name}\t{name}\t0\t0\t62\t62")
    (judge.root / "tiny/val/val_annotations.txt").write_text("\n".join(lines))
    assert judge.score("tiny") == (1.0, 6)
    assert judge.score("tiny/val") == (1.0, 6)
    class_folders(judge.root / "nested", 2)
    for name in CLASSES:
        shutil.move(judge.root / "nested" / name, judge.root / "nested/x")
        shutil.move(judge.root / "nested/x", judge.root / "nested" / name / "images")
    assert judge.score("nested") == (1.0, 6)
    (judge.root / "tiny/val/val_annotations.txt").write_text("\n".join(lines[1:]))
    judge.refused("tiny/val", "val_annotations.txt", "no class for", "val_ash0.JPEG")


def test_flat_imagenet_with_its_labels(judge):
    names = list(import_from(judge.folder, "src.vendored.classes").imagenet_classes())
    known = dict(zip((3, 500, 999), CLASSES))
    for number, (_, name) in enumerate(known.items(), 1):
        path = judge.root / f"ILSVRC2012_val/ILSVRC2012_val_{number:08}.JPEG"
        save_photo(path, COLOURS[name])
    order = [known.get(index, "-") for index in range(1000)]
    judge.refused("ILSVRC2012_val", "images directly in it", names=order, record=False)
    solution = ["ImageId,PredictionString"] + [
        f"ILSVRC2012_val_{number:08},{names[index]} 1 2 3 4"
        for number, index in enumerate(known, 1)
    ]
    table = judge.root / "LOC_val_solution.csv"
    table.write_text("\n".join(solution))
    assert judge.score("ILSVRC2012_val", names=order, record=False) == (1.0, 3)
    table.unlink()
    lines = [f"ILSVRC2012_val_{number:08}.JPEG {index}" for number, index in enumerate(known, 1)]
    (judge.root / "ILSVRC2012_val/val.txt").write_text("\n".join(lines))
    assert judge.score(".", names=order, record=False) == (1.0, 3)
    (judge.root / "ILSVRC2012_val/val.txt").unlink()
    truth = judge.root / "ILSVRC2012_validation_ground_truth.txt"
    truth.write_text("1\n2\n3\n")
    judge.refused("ILSVRC2012_val", "meta.mat", names=order, record=False)
