"""The short form of `make oddities`: a few cases of each kind, through one folder's three ways."""

import pytest

import oddities
from entry_points import call
from folders import flags_of

FOLDER = "mobilenetv1"
SOME = (
    "middle class missing", "unknown class", "empty and stray folders", "tiny imagenet",
    "stems that clash in a class", "images beside class folders",
    r"an image called b'@ \xff\xfe.JpEg'",
    "JPEG: cmyk", "other: RGBA.png", "damaged JPEG: no_end", "a pipe", "ONNX in float16",
    "ONNX with a named batch axis", "record of other colours", "splits without classes",
    "MindIR with an infinite weight",
    "50 synset folders, 1000 classes, no record",
)  # fmt: skip


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    return oddities.Judge(FOLDER, tmp_path_factory.mktemp("network"))


@pytest.mark.parametrize("name", SOME)
def test_what_is_printed_is_true(judge, name):
    for engine, (outcome, told) in judge.judge(name).items():
        assert outcome in ("right", "refused"), f"{engine}: {outcome}\n{told}"


def test_the_network_tells_the_colours_apart(judge, tmp_path):
    """In graph mode; else a wrong label would not show in the accuracy."""
    truth = oddities.TREES["plain"](tmp_path).truth
    least, most = judge.network.right(truth)
    assert least >= 4 and len(truth) == 6
    flags = (*judge.data, "val", "--checkpoint_path", judge.network.root / "named.ckpt")
    code, out, err = call(FOLDER, "eval.py", *flags_of(FOLDER).network, *flags, cwd=tmp_path)
    assert code == 0, err
    assert oddities.outcome(code, out, err, "", (least, most, 6)) == "right"


def test_there_are_at_least_sixty():
    assert len(oddities.CASES) >= 60
