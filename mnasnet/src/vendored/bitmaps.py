# Copied from utils/vendored/bitmaps.py by `make vendor`: change it there.
"""PNG and BMP files, told by their structure to be whole, and the names of other files."""

import re
import struct
import zlib
from typing import NoReturn

SIDE = 1 << 20  # pixels: OpenCV's limit
MOST_PIXELS = 178_956_970  # Pillow's limit
# fmt: off
PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
BMP_DEPTHS = {0: (1, 4, 8, 16, 24, 32), 1: (8,), 2: (4,), 3: (16, 32)}  # by compression
PNG_ANIMATION = (b"acTL", b"fcTL", b"fdAT")  # OpenCV 4.11 in MindSpore 2.10 may die of these.
BMP_HEADERS = (40, 52, 56, 64, 108, 124)  # bytes
OTHER_FORMATS = (
    ("a GIF file", rb"GIF8"), ("a WebP file", rb"RIFF....WEBP"),
    ("a TIFF file", rb"II[*+]\0|MM\0[*+]"), ("a HEIF file", rb"....ftyp(he|mi|ms)"),
    ("an AVIF file", rb"....ftypav"), ("a JPEG 2000 file", rb"\0\0\0\x0cjP|\xff\x4f\xff\x51"),
    ("a JPEG XL file", rb"\xff\x0a|\0\0\0\x0cJXL"), ("a PDF file", rb"%PDF"),
    ("a text file", rb"(\xef\xbb\xbf)?[\t\n\r -~]{32}|[\t\n\r -~]+\Z"),
)
# fmt: on


class Damage(Exception):
    """Why a file is refused, as a phrase."""


def check_other(content: bytes) -> NoReturn:
    """Raise Damage that says what `content` is, which starts as neither JPEG, PNG nor BMP do."""
    if not content:
        raise Damage("it is empty")
    for name, start in OTHER_FORMATS:
        if re.match(start, content, re.DOTALL):
            raise Damage(f"it is {name}, not JPEG, PNG or BMP")
    raise Damage("it is no image file")


def check_size(width: int, height: int, side: int) -> None:
    """Raise Damage where no decoder takes an image of `width` x `height` pixels."""
    if not (0 < width <= side and 0 < height <= side and width * height <= MOST_PIXELS):
        raise Damage(f"its size is {width} x {height} pixels")


def check_png(content: bytes) -> None:
    """Raise Damage where a PNG file is cut short, or a chunk missing, wrong or not supported."""
    at, kind, kinds = 8, b"", set()
    while kind != b"IEND":
        length = int.from_bytes(content[at : at + 4], "big")
        kind, data = content[at + 4 : at + 8], at + 8
        at = data + length + 4
        if at > len(content):
            raise Damage("the PNG file is cut short")
        checksum = zlib.crc32(memoryview(content)[data - 4 : at - 4])
        if checksum.to_bytes(4, "big") != content[at - 4 : at]:
            raise Damage("the PNG file has a wrong checksum")
        if not kinds and (kind != b"IHDR" or length != 13):
            raise Damage("the PNG file has no header")
        if kind in PNG_ANIMATION:
            raise Damage("the PNG file is animated, which is not supported")
        kinds.add(kind)
    width, height, depth, colour, *methods = struct.unpack_from(">IIBBBBB", content, 16)
    check_size(width, height, SIDE)
    if depth not in PNG_DEPTHS.get(colour, ()) or methods not in ([0, 0, 0], [0, 0, 1]):
        raise Damage("the PNG file has a header that is not supported")
    if b"IDAT" not in kinds or (colour == 3 and b"PLTE" not in kinds):
        raise Damage("the PNG file has no image data or no palette")


def check_bmp(content: bytes) -> None:
    """Raise Damage where a BMP file is not supported, or shorter than its size needs."""
    header = int.from_bytes(content[14:18], "little")
    if header == 12 and len(content) >= 26:
        width, height, _, depth = struct.unpack_from("<HHHH", content, 18)
        compression = 0
    elif header in BMP_HEADERS and len(content) >= 14 + header:
        width, height, _, depth, compression = struct.unpack_from("<iiHHI", content, 18)
    else:
        raise Damage("the BMP file is cut short, or its header not supported")
    if depth not in BMP_DEPTHS.get(compression, ()):
        raise Damage(f"the BMP file has {depth} bits a pixel in compression {compression}")
    check_size(width, abs(height), SIDE)
    # How much run-length coding (1 and 2) takes is known only to who decodes it.
    rows = 0 if compression in (1, 2) else abs(height) * ((width * depth + 31) // 32 * 4)
    offset = int.from_bytes(content[10:14], "little")
    if offset < 14 + header or offset + rows > len(content):
        raise Damage("the BMP file is cut short")
