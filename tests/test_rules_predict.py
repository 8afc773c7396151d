"""predict.py in every folder: whatever is given as a photo, each is answered upright or named, by
a checkpoint and by what is exported from it alike.
"""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, NAMES, import_from, slow_where_heavy
from image_files import encoded, jpeg_files, picture
from places import CLASSES, Place, save_photo, save_wrong_checkpoints
from test_rules_onnx_record import evaluated, save_best

TURNS = {
    2: "mirrored",
    3: "turned by 180 degrees",
    4: "turned by 180 degrees and mirrored",
    5: "turned right and mirrored",
    6: "turned right",
    7: "turned left and mirrored",
    8: "turned left",
}
MINDIR = {"mobilenetv1": ("mindir",)}  # What follows is the same in all, and slow to compile.
made = {}


def exif(orientation, kind="JPEG"):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return encoded(picture(), kind, exif=tags)


def sixteen_bits():
    return Image.fromarray((np.arange(40 * 48).reshape(40, 48) * 30).astype(np.uint16))


def odd_files():
    """{name: content}: those that are images first, then {name: (content, words)} of the rest."""
    image, jpeg = picture(), jpeg_files()
    good = {f"exif_{number}.jpg": exif(number) for number in TURNS}
    good |= {f"{name}.jpg": jpeg[name] for name in ("gray", "cmyk", "ycck", "progressive", "pixel")}
    good |= {
        "exif.png": exif(6, "PNG"),
        "exif_99.jpg": exif(99),
        "exif_broken.jpg": jpeg["plain"][:2] + b"\xff\xe1\0\x0eExif\0\0MM\0*\xff\xff" + b"\xff" * 2
        + jpeg["plain"][2:],
        "sixteen.png": encoded(sixteen_bits(), "PNG"),
        "palette.png": encoded(image.convert("P"), "PNG"),
        "clear.png": encoded(image.convert("RGBA"), "PNG"),
        "gray_clear.png": encoded(image.convert("LA"), "PNG"),
        "bits.png": encoded(image.convert("1"), "PNG"),
        "bitmap.BMP": encoded(image, "BMP"),
        "really_png.jpg": encoded(image, "PNG"),
        "large.jpg": encoded(Image.new("RGB", (8000, 6000), (9, 99, 9)), quality=50),
        "no name at all": jpeg["plain"],
    }  # fmt: skip
    bad = {
        "truncated.jpg": (jpeg["plain"][:900], "cut short"),
        "text.jpg": (b"404 not found", "text file"),
        "empty.jpg": (b"", "empty"),
        "gif.jpg": (encoded(image, "GIF"), "GIF"),
        "webp.jpg": (encoded(image, "WEBP"), "WebP"),
        "tiff.png": (encoded(image, "TIFF"), "TIFF"),
        "half.png": (encoded(image, "PNG")[:-40], "PNG file is cut short"),
        "line.png": (encoded(Image.new("L", (9000, 2)), "PNG"), "9000 x 2 pixels are too narrow"),
        "noise.bmp": (bytes(range(256)) * 9, "no image file"),
    }
    return good, bad


@pytest.fixture(params=slow_where_heavy(NAMES))
def place(request, tmp_path_factory):
    """A place with a checkpoint that has its record, best-best.ckpt."""
    folder = request.param
    if folder not in made:
        made[folder] = Place(tmp_path_factory.mktemp("predict"), folder, 1, 1)
        made[folder].names = ["background"] * made[folder].detector + list(CLASSES)
        save_best(made[folder])
    return made[folder]


def predict(place, *arguments, model="best-best.ckpt"):
    flags = ("--min_score", "0.5") if place.detector else ()
    arguments = ("--model", model, *flags, *arguments)
    return call(place.folder, "predict.py", *arguments, cwd=place.root)


def test_odd_files(place, tmp_path):
    """What is an image is answered, turned as EXIF says; what is none is named, and passed over."""
    good, bad = odd_files()
    assert len(good) + len(bad) >= 26
    for name, content in [*good.items(), *((name, bad[name][0]) for name in bad)]:
        (tmp_path / name).write_bytes(content)
    files = [tmp_path / name for name in (*good, *bad)]
    outputs = ("--csv", tmp_path / "a.csv", "--json", tmp_path / "a.json")
    code, out, err = predict(place, "--photos", *files, *outputs, "--pictures", tmp_path / "seen")
    assert code == 1 and "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert last.startswith(f"error: {len(bad)} of {len(files)} photos were passed over"), err
    for name, (_, words) in bad.items():
        (line,) = [line for line in err.splitlines() if line.startswith("passed") and name in line]
        assert words in line
    answers = json.loads((tmp_path / "a.json").read_text())
    for names, key in ((good, "photos"), (bad, "passed_over")):
        assert [entry["photo"] for entry in answers[key]] == [
            str(tmp_path / name) for name in names
        ]
    by_name = dict(zip(good, answers["photos"]))
    for number, turned in TURNS.items():
        entry = by_name[f"exif_{number}.jpg"]
        assert entry["turned"] == turned and f"({turned}, as its EXIF says)" in out
        assert (entry["width"], entry["height"]) == ((48, 40) if number < 5 else (40, 48))
    assert by_name["exif.png"]["turned"] == "turned right"
    assert by_name["exif_99.jpg"]["turned"] == by_name["exif_broken.jpg"]["turned"] == ""
    assert by_name["large.jpg"]["width"] == 8000
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [
        row["label"] for entry in answers["photos"] for row in entry["answers"]
    ]
    pictures = sorted(path.name for path in (tmp_path / "seen").glob("*.jpg"))
    assert len(pictures) == len(good)
    for path in (tmp_path / "seen").iterdir():
        with Image.open(path) as image:
            assert max(image.size) < 2500 and image.load()


@pytest.mark.parametrize("folder", NAMES[:1])
def test_upright_is_what_pillow_calls_upright(folder, tmp_path):
    photos = import_from(folder, "src.vendored.photos")
    for number in range(1, 9):
        (tmp_path / "photo.png").write_bytes(exif(number, "PNG"))
        photo = photos.read_photo(
            str(tmp_path / "photo.png"), lambda data: np.array(picture()), [], is_shown=False
        )
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(exif(number, "PNG"))))
        assert np.array_equal(photo.image, np.array(upright))
        assert photo.size == upright.size and photo.turned == TURNS.get(number, "")


def test_all_forms_answer_alike(place, tmp_path):
    """Checkpoint, ONNX and MindIR, from the record of each alone; folders at any depth, a photo
    named twice once.
    """
    for number, name in enumerate(("a", "b/c", "b/d/e")):
        save_photo(tmp_path / "photos" / f"{name}.jpg", (80 * number, 99, 60), (90, 70), number)
    (tmp_path / "photos/.hidden.jpg").write_bytes(b"")
    (tmp_path / "photos/b/notes.txt").write_text("no photo")
    export = ("--checkpoint_path", "best-best.ckpt", *place.cpu, "--file_name", "x")
    answers = []
    for kind in ("ckpt", "onnx", *MINDIR.get(place.folder, ())):
        if kind != "ckpt":
            code, _, err = call(
                place.folder, "export.py", *export, "--file_format", kind.upper(), cwd=place.root
            )
            assert code == 0, err
        photos = ("--photos", tmp_path / "photos", tmp_path / "photos/a.jpg")
        model = "best-best.ckpt" if kind == "ckpt" else f"x.{kind}"
        json_flags = ("--json", tmp_path / f"{kind}.json")
        code, _, err = predict(place, *photos, *json_flags, model=model)
        assert code == 0, err
        answers.append(json.loads((tmp_path / f"{kind}.json").read_text())["photos"])
    for other in answers[1:]:
        assert len(other) == 3
        for wanted, got in zip(answers[0], other):
            assert got["photo"] == wanted["photo"] and wanted["answers"]
            for first, second in zip(wanted["answers"][:3], got["answers"][:3]):
                assert first["label"] in CLASSES
                for key in {"probability", "score"} & set(first):
                    assert abs(first[key] - second[key]) < 1e-4
    if not place.detector:
        seen = evaluated(place.folder, place.root / "x.onnx", str(tmp_path / "photos/a.jpg"))
        model = import_from(place.folder, "src.vendored.exported").open_model(place.root / "x.onnx")
        (logits,) = model.predict(np.float32(seen)[None].repeat(model.shape[0], axis=0))
        wanted = np.exp(logits[0] - logits[0].max())
        wanted = np.sort(wanted / wanted.sum())[::-1]
        got = [row["probability"] for row in answers[0][0]["answers"]]
        assert np.abs(got - wanted).max() < 1e-4


def test_wrong_input_ends_in_one_line(place, tmp_path):
    """Before anything is written."""
    save_photo(tmp_path / "a.jpg", (9, 9, 9))
    (tmp_path / "empty").mkdir()
    photos = ("--photos", tmp_path / "a.jpg")
    outputs = ("--csv", tmp_path / "a.csv", "--json", tmp_path / "a.json")
    for arguments, words in (
        ((), "--photos FILE or FOLDER"),
        (("--photos", tmp_path / "nowhere"), "no such photo or folder"),
        (("--photos", tmp_path / "empty"), "no image in this folder"),
        ((*photos, "--csv", tmp_path / "nowhere/a.csv"), "nowhere/a.csv: cannot be written"),
        ((*photos, "--pictures", tmp_path / "a.jpg"), "cannot make this folder"),
    ):
        code, _, err = predict(place, *arguments)
        assert_one_line(code, err, words)
    wrong = save_wrong_checkpoints(place.root, place.root / "best-best.ckpt")
    wrong = {name: wrong[name] for name in ("nowhere.ckpt", "truncated.ckpt", "torch.ckpt")}
    for name, words in {"": "which model?", "nowhere.onnx": "no such file", **wrong}.items():
        code, _, err = predict(place, *photos, *outputs, model=name)
        assert_one_line(code, err, words)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "empty"]
    if not place.detector:
        code, _, err = predict(place, *photos, "--grad_cam")
        assert_one_line(code, err, "--pictures FOLDER")
        seen = tmp_path / "seen"
        code, out, err = predict(place, *photos, "--grad_cam", "--top", "2", "--pictures", seen)
        assert code == 0 and out.count(" %") == 2 and (seen / "a.jpg").is_file(), err


@pytest.mark.parametrize("folder", CLASSIFIERS[:1])
def test_names(folder, capsys):
    classes = import_from(folder, "src.vendored.classes")
    labels = classes.names_for_prediction(1001)
    assert classes.readable(labels)[:2] == ["tench", "goldfish"] and labels[1000] == "(unused)"
    assert classes.names_for_prediction(2, ["a, b", "c"]) == ["a, b", "c"]
    assert classes.readable(["a, b"]) == ["a, b"]
    assert classes.names_for_prediction(2) == ["class 0", "class 1"]
    assert "none known" in capsys.readouterr().out
    with pytest.raises(ValueError, match="3 class names"):
        classes.names_for_prediction(2, ["a", "b", "c"])


@pytest.mark.parametrize("folder", NAMES[:1])
def test_pictures_have_names_of_their_own(folder):
    names = import_from(folder, "src.vendored.answers").picture_names
    wanted = {"x/a.jpg": "a.jpg.jpg", "x/a.png": "a.png.jpg", "x/y/a.jpg": "y/a.jpg"}
    assert names(list(wanted)) == wanted


@pytest.mark.parametrize("folder", NAMES)
def test_folders_are_searched_at_any_depth(folder, tmp_path, capsys):
    """Neither what servers leave there nor links that lead up; other formats are counted."""
    wanted = [tmp_path / name for name in ("b.jpg", "a/ü #1.JPG", "a/x y/1.png")]
    for path in wanted:
        save_photo(path, (9, 9, 9))
    for name in ("a/@eaDir/b.jpg", ".trash/b.jpg", "a/._b.jpg", "a/1.webp", "c.heic"):
        save_photo(tmp_path / f"{name}.jpg", (9, 9, 9)).rename(tmp_path / name)
    (tmp_path / "a/up").symlink_to("..")
    found = import_from(folder, "src.vendored.photos").find_photos([str(tmp_path)])
    assert found == [str(path) for path in wanted]
    assert "2 photos that are neither JPEG, PNG nor BMP" in capsys.readouterr().out
