"""Which image files NAS-FPN takes, in creating the MindRecord files and in evaluation alike."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from folders import import_from
from nas_fpn_records import documented_image
from test_nas_fpn import user_error


def encoded(suffix, picture, **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, suffix, **options)
    return file.getvalue()


PICTURE = documented_image()[:90, :120]
FORMATS = {
    **{name: encoded(name, PICTURE) for name in ("JPEG", "PNG", "BMP")},
    "progressive": encoded("JPEG", PICTURE, progressive=True),
    "grey": encoded("JPEG", PICTURE[:, :, 0]),
    "palette": encoded("PNG", PICTURE[:, :, 0] // 64 * 64),
}
OTHERS = {name: encoded(name, PICTURE) for name in ("TGA", "PCX", "ICO", "GIF", "TIFF", "WEBP")}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_by_content_and_cut_short(tmp_path, name):
    """Creating the files takes what evaluation decodes, and refuses what it refuses."""
    images, data = import_from("nas_fpn", "src.images"), FORMATS[name]
    path = tmp_path / "picture.gif"
    path.write_bytes(data)
    assert images.read_image(str(path)) == data and images.image_shape(str(path)) == (90, 120)
    assert images.decode(data).shape == (90, 120, 3)
    for length in (0, 1, 20, len(data) // 4, len(data) // 2, len(data) - 20, len(data) - 2):
        path.write_bytes(data[:length])
        for read in (
            lambda: images.read_image(str(path)),
            lambda length=length: images.decode(data[:length], str(path)),
        ):
            with pytest.raises(user_error(), match="picture.gif: this image cannot be decoded"):
                read()


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_refused_on_both_sides(tmp_path, name):
    images, path = import_from("nas_fpn", "src.images"), tmp_path / "picture.jpg"
    path.write_bytes(OTHERS[name])
    for read in (
        lambda: images.read_image(str(path)),
        lambda: images.image_shape(str(path)),
        lambda: images.decode(OTHERS[name], str(path)),
    ):
        with pytest.raises(user_error(), match=r"picture.jpg: .*decoded \(it is "):
            read()


def test_a_jpeg_whose_thumbnail_is_whole_and_which_is_not(tmp_path):
    thumbnail = encoded("JPEG", PICTURE[:8, :8])
    length = (len(thumbnail) + 2).to_bytes(2, "big")
    data = FORMATS["JPEG"][:2] + b"\xff\xe1" + length + thumbnail + FORMATS["JPEG"][2:]
    images = import_from("nas_fpn", "src.images")
    assert images.decode(data).shape == (90, 120, 3)
    with pytest.raises(user_error(), match="cut short"):
        images.decode(data[:-200])


def test_mutated_images_never_kill_and_are_judged_alike(tmp_path, capfd):
    """What creating the files takes, evaluation decodes; libraries say nothing of the others."""
    images, random, taken = import_from("nas_fpn", "src.images"), np.random.RandomState(0), 0
    for number in range(150):
        data = bytearray(list(FORMATS.values())[number % len(FORMATS)])
        for _ in range(random.randint(1, 4)):
            data[random.randint(len(data))] = random.randint(256)
        path = tmp_path / "mutated"
        path.write_bytes(data)
        capfd.readouterr()
        try:
            content = images.read_image(str(path))
        except user_error():
            assert capfd.readouterr().err == ""
            continue
        taken += 1
        assert images.decode(content).shape == (*images.image_shape(str(path)), 3)
    assert taken > 30


def test_cmyk_as_the_cpp_program_decodes_it():
    picture = Image.fromarray(PICTURE).convert("CMYK")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    decoded = import_from("nas_fpn", "src.images").decode(file.getvalue()).astype(int)
    plain = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert np.array_equal(decoded, np.maximum(plain.astype(int) - 1, 0))
