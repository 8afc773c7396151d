"""Pixels of the C++ programs against MindSpore's `vision` transforms, on JPEG and PNG files of
all kinds.
"""

import io
from types import SimpleNamespace

import mindspore.dataset.vision as vision
import numpy as np
import pytest
from PIL import Image

import cpp_infer_tools as cpp
from folders import import_from


def padded(image):
    """As NAS-FPN keeps the aspect ratio of `image`."""
    config = SimpleNamespace(img_shape=[128, 128], keep_ratio=True)
    return import_from("nas_fpn", "src.dataset").resize(image, config)


RESIZES = {
    "decode": ([], []),
    "shorter side and crop": (
        ["--shorter_side=256", "--crop_height=224", "--crop_width=224"],
        [vision.Resize(256), vision.CenterCrop(224)],
    ),
    "odd shorter side": (
        ["--shorter_side=255", "--crop_height=224", "--crop_width=224"],
        [vision.Resize(255), vision.CenterCrop(224)],
    ),
    "both sides and crop": (
        ["--height=320", "--width=320", "--crop_height=256", "--crop_width=256"],
        [vision.Resize((320, 320)), vision.CenterCrop(256)],
    ),
    "both sides": (["--height=333", "--width=640"], [vision.Resize((333, 640))]),
    "padded": (["--padded=128"], [padded]),
    "crop and pad": (["--crop_height=151", "--crop_width=200"], [vision.CenterCrop((151, 200))]),
}


def save_kinds(folder):
    """One image of each kind; CMYK is in a test of its own."""
    colour = Image.fromarray(cpp.picture(120, 161))
    grey = Image.fromarray(cpp.picture(120, 161, 1)[..., 0])
    for quality, subsampling in ((40, 0), (75, 1), (95, 2)):
        colour.save(folder / f"q{quality}.jpg", quality=quality, subsampling=subsampling)
    colour.save(folder / "progressive.jpg", progressive=True)
    grey.save(folder / "grey_jpeg.JPEG")
    grey.save(folder / "grey_png.png")
    colour.save(folder / "colour_png.PNG")
    colour.save(folder / "png_inside.jpg", format="PNG")
    colour.convert("P").save(folder / "palette.png")
    colour.convert("P").save(folder / "palette_transparent.png", transparency=3)
    colour.convert("1").save(folder / "bits.png")
    Image.fromarray(cpp.picture(120, 161, 2), "LA").save(folder / "grey_alpha.png")
    Image.fromarray(cpp.picture(120, 161, 4), "RGBA").save(folder / "colour_alpha.png")
    Image.fromarray(cpp.picture(120, 161, 1)[..., 0].astype(np.uint16) * 257).save(
        folder / "grey16.png"
    )
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        colour.save(folder / f"exif{orientation}.jpg", exif=exif)
    thumbnail = io.BytesIO()
    colour.resize((16, 12)).save(thumbnail, format="JPEG")
    colour.save(folder / "thumbnail.jpg", exif=b"Exif\0\0" + thumbnail.getvalue())
    (folder / "bytes_after_end.jpg").write_bytes((folder / "q40.jpg").read_bytes() + bytes(100))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of images of every kind and of many sizes."""
    folder = tmp_path_factory.mktemp("images")
    save_kinds(folder)
    sizes = np.random.default_rng(1).integers(60, 600, (24, 2)).tolist()
    sizes += [
        (256, 300),
        (300, 256),
        (255, 255),
        (224, 224),
        (225, 500),
        (500, 333),
        (375, 500),
        (51, 90),
    ]
    for number, (height, width) in enumerate(sizes):
        cpp.save_picture(
            folder / f"size{number}.{'png' if number % 3 == 0 else 'jpg'}", height, width, number
        )
    return folder


@pytest.mark.parametrize("name", RESIZES)
def test_pixels(images, tmp_path, name):
    flags, transforms = RESIZES[name]
    cpp.run(f"--dataset_path={images}", f"--result_dir={tmp_path}", *flags, program=cpp.pixels())
    got = cpp.results(tmp_path)
    assert len(got) == len(list(images.iterdir()))
    for path in images.iterdir():
        wanted = np.fromfile(path, np.uint8)
        for transform in [vision.Decode(), *transforms]:
            wanted = transform(wanted)
        difference = (
            got[f"{path.stem}_0.bin"] - wanted.transpose(2, 0, 1).astype(np.float32).ravel()
        )
        assert np.abs(difference).max() <= 1, path.name


def test_cmyk(tmp_path):
    """OpenCV and MindSpore round the conversion to RGB differently, so here one level more is
    allowed.
    """
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "a.jpg"
    Image.fromarray(cpp.picture(120, 161, 4), "CMYK").save(path)
    cpp.run(f"--dataset_path={path.parent}", f"--result_dir={tmp_path}/out", program=cpp.pixels())
    wanted = (
        vision.Decode()(np.fromfile(path, np.uint8)).transpose(2, 0, 1).astype(np.float32).ravel()
    )
    difference = cpp.results(tmp_path / "out")["a_0.bin"] - wanted
    assert np.abs(difference).max() <= 1 and abs(difference.mean()) < 0.6


def test_extreme_shape(tmp_path):
    path = cpp.save_picture(tmp_path / "in" / "thin.png", 1, 3000)
    arguments = [
        f"--dataset_path={path.parent}",
        f"--result_dir={tmp_path}/out",
        "--shorter_side=256",
    ]
    assert "1000 times" in cpp.error(*arguments, program=cpp.pixels())
