"""Small image files of all kinds that people have, and files that are none."""

import io
import zlib
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

PHOTO = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")  # 512 x 600
EXIF_THUMBNAIL = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"


def picture(width=48, height=40, seed=0):
    """An RGB picture with edges, gradients and noise."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).integers(0, 40, (height, width, 3))
    base = np.stack([rows * 4 % 200, columns * 4 % 200, (rows // 8 + columns // 8) % 2 * 180], 2)
    return Image.fromarray(np.clip(base + noise, 0, 255).astype(np.uint8))


def encoded(image, kind="JPEG", **options):
    """The content (bytes) of a file of `image`."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def segments(content):
    """(marker, start, end) of each segment of a sound JPEG file, and of the scans' data as 0."""
    found, at = [], 2
    while at < len(content) and content[at + 1] != 0xD9:
        if content[at + 1] == 0xFF:
            at += 1
            continue
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        end = at + 2 + max(length, 2)
        found.append((marker, at, end))
        at = end
        if marker == 0xDA:
            while content[at] != 0xFF or content[at + 1] in (0, *range(0xD0, 0xD8)):
                at += 1
            found.append((0, end, at))
    return found


def segment(marker, body):
    """A JPEG segment."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def without(content, *markers):
    """A JPEG file less its segments of these kinds."""
    for marker, start, end in reversed(segments(content)):
        if marker in markers:
            content = content[:start] + content[end:]
    return content


def with_fill_bytes(content):
    """A JPEG file with fill bytes before each of its segments."""
    for marker, start, _ in reversed(segments(content)):
        if marker:
            content = content[:start] + b"\xff\xff" + content[start:]
    return content


def with_long_quantization(content):
    """A JPEG file whose quantization tables have 16 bits an entry."""
    for marker, start, end in reversed(segments(content)):
        if marker == 0xDB:
            body = content[start + 4 : end]
            tables = [body[at : at + 65] for at in range(0, len(body), 65)]
            longer = [
                bytes((16 + table[0],)) + b"".join(bytes((0, entry)) for entry in table[1:])
                for table in tables
            ]
            content = content[:start] + segment(0xDB, b"".join(longer)) + content[end:]
    return content


def in_separate_scans(image, narrower=1, **options):
    """A baseline JPEG file with a scan for each component, from three files of one each.

    The second and third components have `narrower` columns fewer for each of the first.
    """
    small = (image.width // narrower, image.height)
    images = [part.resize(small) if number else part for number, part in enumerate(image.split())]
    parts = [encoded(part, quality=80, **options) for part in images]
    pieces = [{kind: part[s:e] for kind, s, e in segments(part)} for part in parts]
    frame = bytearray(pieces[0][0xC0])
    frame[2:4], frame[9] = b"\0\x11", 3
    frame[10:] = bytes((1, 16 * narrower + 1, 0, 2, 0x11, 0, 3, 0x11, 0))
    header = without(parts[0], 0xC0, 0xDA, 0)[:-2]
    scans = b"".join(
        segment(0xDA, bytes((1, number, 0, 0, 63, 0))) + piece[0]
        for number, piece in enumerate(pieces, 1)
    )
    return header + bytes(frame) + scans + b"\xff\xd9"


def jpeg_files():
    """{name: content} of sound JPEG files."""
    image = picture()
    plain = encoded(image)
    cmyk = encoded(image.convert("CMYK"), quality=90)
    exif = segment(0xE1, EXIF_THUMBNAIL + encoded(picture(16, 16)))
    files = {
        "plain": plain,
        "gray": encoded(image.convert("L")),
        "cmyk": cmyk,
        "ycck": cmyk.replace(b"Adobe\0d\0\0\0\0\0", b"Adobe\0d\0\0\0\0\2"),
        "rgb": encoded(image, keep_rgb=True),
        "444": encoded(image, subsampling=0),
        "422": encoded(image, subsampling=1),
        "411": in_separate_scans(image, narrower=4),
        "progressive": encoded(image, progressive=True),
        "progressive_gray": encoded(image.convert("L"), progressive=True),
        "progressive_cmyk": encoded(image.convert("CMYK"), progressive=True),
        "progressive_restart": encoded(image, progressive=True, restart_marker_blocks=2),
        "restart": encoded(image, restart_marker_blocks=1),
        "restart_rows": encoded(image, restart_marker_rows=1),
        "optimized": encoded(image, optimize=True),
        "quality_5": encoded(image, quality=5),
        "quality_100": encoded(image, quality=100, subsampling=0),
        "pixel": encoded(picture(1, 1)),
        "narrow": encoded(picture(3, 200)),
        "separate_scans": in_separate_scans(image),
        "separate_scans_restart": in_separate_scans(image, restart_marker_rows=1),
        "thumbnail": plain[:2] + exif + plain[2:],
        "comment": plain[:2] + segment(0xFE, b"") + segment(0xEB, b"odd\xff\xd9" * 9) + plain[2:],
        "length_zero": plain[:2] + b"\xff\xfe\0\0\xff\xe5\0\1" + plain[2:],
        "profile": encoded(image, icc_profile=bytes(range(256)) * 300),
        "trailing": plain + b"after the end\xff\xda\xff\xff\xc4" * 9,
        "fill_bytes": with_fill_bytes(plain),
        "fill_bytes_progressive": with_fill_bytes(encoded(image, progressive=True)),
        "motion": without(encoded(image, quality=75), 0xC4),
        "long_quantization": with_long_quantization(plain),
    }
    return files


def bmp_run_lengths():
    """A BMP file of 8 bits a pixel in run-length coding: 4 x 2 pixels."""
    palette = bytes(range(256)) * 4
    data = b"\4\7\0\0\4\x99\0\0\0\1"
    header = np.array([40, 4, 2], "<u4").tobytes() + b"\1\0\x08\0\1\0\0\0"
    header += np.array([len(data), 0, 0, 256, 0], "<u4").tobytes()
    start = 54 + len(palette)
    total = np.array([start + len(data), 0, start], "<u4").tobytes()
    return b"BM" + total + header + palette + data


def png_chunk(kind, body):
    """A chunk of a PNG file."""
    checksum = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + checksum


def interlaced_png(image):
    """A PNG file of a gray image whose pixels come in the seven passes of Adam7."""
    pixels, rows = np.asarray(image), b""
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2))
    for top, down, left, right in (*passes, (1, 2, 0, 1)):
        rows += b"".join(b"\0" + row.tobytes() for row in pixels[top::down, left::right])
    header = image.width.to_bytes(4, "big") + image.height.to_bytes(4, "big") + b"\x08\0\0\0\1"
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)


def other_files():
    """{name: content} of sound PNG and BMP files."""
    image = picture(24, 24)
    long = Image.fromarray(np.arange(24 * 24, dtype=np.uint16).reshape(24, 24) * 100)
    top_down = bytearray(encoded(image, "BMP"))
    top_down[22:26] = (-24).to_bytes(4, "little", signed=True)
    core = (
        b"BM" + np.array([26 + 24, 0, 26, 12], "<u4").tobytes() + b"\2\0\3\0\1\0\x18\0" + bytes(24)
    )
    files = {
        "palette_transparent.png": encoded(image.convert("P"), "PNG", transparency=3),
        "interlaced.png": interlaced_png(image.convert("L")),
        "long.png": encoded(long, "PNG"),
        "trailing.png": encoded(image, "PNG") + b"after the end",
        "comment.png": encoded(image, "PNG", dpi=(72, 72), icc_profile=b"profile" * 99),
        "top_down.bmp": bytes(top_down),
        "core.bmp": core,
        "run_lengths.bmp": bmp_run_lengths(),
    }
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        files[f"{mode}.png"] = encoded(image.convert(mode), "PNG")
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        files[f"{mode}.bmp"] = encoded(image.convert(mode), "BMP")
    return files


def foreign_files():
    """{word that names it: content} of files that are neither JPEG, PNG nor BMP files."""
    image = picture(24, 24)
    return {
        "empty": b"",
        "GIF": encoded(image, "GIF"),
        "WebP": encoded(image, "WEBP"),
        "TIFF": encoded(image, "TIFF"),
        "AVIF": encoded(image, "AVIF"),
        "HEIF": b"\0\0\0\x18ftypheic" + bytes(99),
        "text": b"<!DOCTYPE html><title>404 not found</title>\n",
        "no image": zlib.compress(b"something else"),
    }
