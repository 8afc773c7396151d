# Copied from utils/vendored/jpeg.py by `make vendor`: change it there.
"""What is wrong with an image file, told by its structure, before a decoder sees it.

MindSpore 2.10's JPEG decoder goes on where libjpeg meets a fatal error, with tables and sizes that
were never set, and where the file ends, with bytes that it has had before: the process dies by a
signal, never ends, or returns other pixels. So all that libjpeg calls fatal is looked for here.
"""

import re
import struct
from operator import mul

from .bitmaps import Damage, check_bmp, check_other, check_png, check_size

# 0xFF and the code of a marker, but for those that every decoder passes over wherever they stand:
# stuffing (00), TEM (01), restart markers (D0 to D7) and fill bytes (FF).
MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
BASELINE, EXTENDED, PROGRESSIVE, LOSSLESS = 0xC0, 0xC1, 0xC2, 0xC3  # Huffman-coded frames
END_OF_IMAGE, START_OF_SCAN = 0xD9, 0xDA
ADOBE = 0xEE
HUFFMAN_TABLES, QUANTIZATION_TABLES, RESTART_INTERVAL = 0xC4, 0xDB, 0xDD
DC, AC = 0x00, 0x10  # classes of Huffman tables, as they stand in a table's first byte
TABLES = (DC, DC + 1, DC + 2, DC + 3, AC, AC + 1, AC + 2, AC + 3)  # all that may be
KRAFT = [1 << (15 - size) for size in range(16)]  # the share of all codes, in 1/65536
SIDE = 65500  # pixels: libjpeg's limit


def damage(content: bytes) -> str:
    """What is wrong with the image file `content` (bytes), as a phrase, or "" where nothing is.

    A JPEG file whose last scan is followed by no end marker (FF D9) is refused, by however little
    it is cut short. Whether the data before that marker fill the image is not looked at.
    """
    try:
        if content[:3] == b"\xff\xd8\xff":
            check_jpeg(content)
        elif content[:8] == b"\x89PNG\r\n\x1a\n":
            check_png(content)
        elif content[:2] == b"BM":
            check_bmp(content)
        else:
            check_other(content)
    except Damage as reason:
        return str(reason)
    return ""


def check_jpeg(content: bytes) -> None:
    """Raise Damage where the segments of a JPEG file (ITU-T T.81, annex B) would end a decoder.

    Those between the scans of a progressive or non-interleaved file are read too. A decoder stops
    after the only scan of any other, so that nothing after it matters.
    """
    jpeg, at, size = Jpeg(), 2, len(content)
    while True:
        found = MARKER.search(content, at)
        if not found:
            raise Damage(jpeg.cut())
        at = found.end()
        marker = content[at - 1]
        if marker == END_OF_IMAGE:
            if not jpeg.scans:
                raise Damage("the JPEG file has no scan")
            return
        if at + 2 > size:
            raise Damage(jpeg.cut())
        length = content[at] << 8 | content[at + 1]
        body = content[at + 2 : at + length]
        at += length if length > 2 else 2  # Decoders pass over a length under 2 as if it were 2.
        if at > size:
            raise Damage(jpeg.cut())
        jpeg.read(marker, length, body)
        if marker == START_OF_SCAN and not jpeg.several_scans:
            if content.rfind(b"\xff\xd9", at) < 0:
                raise Damage(jpeg.cut())
            return


class Jpeg:
    """The frame and the tables that a JPEG decoder knows, segment after segment."""

    def __init__(self):
        self.components = []  # (identifier, blocks in a unit, quantization table), as in the frame
        self.quantization = set()  # numbers of the tables that are defined
        self.huffman = {}  # class and number of a table that is defined: whether it is right
        self.quantized = set()  # components whose quantization table an earlier scan has fixed
        self.progressive = self.several_scans = False
        self.has_adobe = False
        self.scans = 0

    def cut(self) -> str:
        """The phrase for a file that ends here."""
        if self.scans:
            return "the JPEG file is cut short: no end marker follows its last scan"
        return "the JPEG file is cut short before its scan"

    def read(self, marker: int, length: int, body: bytes) -> None:
        """Raise Damage where no decoder goes on after the segment `body` of `length` bytes."""
        # The two of which a progressive file has many.
        if marker == HUFFMAN_TABLES and length >= 2:
            self.read_huffman_tables(body)
        elif marker == START_OF_SCAN and length >= 2:
            self.read_scan(body)
        else:
            self.read_other(marker, length, body)

    def read_other(self, marker: int, length: int, body: bytes) -> None:
        """As read, of segments that a file has once or twice."""
        if marker == ADOBE and body[:5] == b"Adobe" and len(body) >= 12:
            self.has_adobe = True
        if 0xE0 <= marker <= 0xEF or marker in (0xFE, 0xDC):
            return
        if length < 2:
            raise Damage(f"its JPEG segment FF {marker:02X} has a wrong length")
        if marker == QUANTIZATION_TABLES:
            self.read_quantization_tables(body)
        elif marker in (BASELINE, EXTENDED, PROGRESSIVE):
            self.progressive = marker == PROGRESSIVE
            self.read_frame(body)
        elif marker == RESTART_INTERVAL:
            if length != 4:
                raise Damage("its JPEG restart interval has a wrong length")
        elif 0xC9 <= marker <= 0xCF:
            raise Damage("the JPEG file is arithmetic-coded, which is not supported")
        elif LOSSLESS <= marker <= 0xC7:
            kind = "lossless" if marker == LOSSLESS else "hierarchical"
            raise Damage(f"the JPEG file is {kind}, which is not supported")
        else:
            raise Damage(f"the JPEG file has the marker FF {marker:02X} where none may be")

    def read_quantization_tables(self, body: bytes) -> None:
        """DQT: tables of 64 entries, of one byte or two."""
        at = 0
        while at < len(body):
            precision, number = divmod(body[at], 16)
            at += 129 if precision else 65
            if number > 3:
                raise Damage("its JPEG quantization table has a wrong number")
            if precision and max(body[at - 128 : at : 2], default=0) > 127:
                raise Damage("its JPEG quantization table has a value over 32767")
            self.quantization.add(number)
        if at != len(body):
            raise Damage("its JPEG quantization tables have a wrong length")

    def read_huffman_tables(self, body: bytes) -> None:
        """DHT: tables of codes. A wrong code or symbol is no fault unless a scan uses the table."""
        at = 0
        while len(body) - at > 16:
            table = body[at]
            counts = body[at + 1 : at + 17]
            total = sum(counts)
            symbols = body[at + 17 : at + 17 + total]
            if table not in TABLES:
                raise Damage("its JPEG Huffman table has a wrong number")
            if total > 256 or len(symbols) != total:
                raise Damage("its JPEG Huffman table has too many codes")
            # Kraft's sum; it is under 1, for the code of ones alone is not used.
            used = sum(map(mul, counts, KRAFT))
            is_right = table >= AC or max(symbols, default=0) <= 15
            self.huffman[table] = is_right and used < 1 << 16
            at += 17 + total
        if at != len(body):
            raise Damage("its JPEG Huffman tables have a wrong length")

    def read_frame(self, body: bytes) -> None:
        """SOF: the size, and each component's sampling factors and quantization table."""
        if self.components:
            raise Damage("the JPEG file has two frames")
        if len(body) < 6 or len(body) != 6 + 3 * body[5]:
            raise Damage("its JPEG frame has a wrong length")
        precision, height, width, count = struct.unpack_from(">BHHB", body)
        check_size(width, height, SIDE)
        if precision != 8 or count not in (1, 3, 4):
            raise Damage(f"the JPEG file has {count} components of {precision} bits")
        factors = [divmod(both, 16) for both in body[7::3]]
        widest, highest = (max(factor[axis] for factor in factors) for axis in (0, 1))
        for h, v in factors:
            if not (1 <= h <= 4 and 1 <= v <= 4) or widest % h or highest % v:
                raise Damage("its JPEG sampling factors are not supported")
        blocks = [h * v for h, v in factors]
        self.components = list(zip(body[6::3], blocks, body[8::3]))

    def read_scan(self, body: bytes) -> None:
        """SOS: components, their Huffman tables, and the coefficients and bits that are coded."""
        if not self.components:
            raise Damage("the JPEG file has a scan before its frame")
        count = body[0] if body else 0
        if not 1 <= count <= 4 or len(body) != 4 + 2 * count:
            raise Damage("its JPEG scan has a wrong length")
        if len(self.components) == 4 and not self.has_adobe:
            raise Damage("the JPEG file is CMYK without Adobe's marker, which is not supported")
        chosen = self.chosen(body[1:-3:2])
        if not self.scans:
            self.several_scans = self.progressive or count < len(self.components)
            if not self.progressive:
                # As in Motion JPEG: the tables of annex K where a file brings none.
                for table in (DC, DC + 1, AC, AC + 1):
                    self.huffman.setdefault(table, True)
        self.scans += 1
        if count > 1 and sum(self.components[index][1] for index in chosen) > 10:
            raise Damage("its JPEG scan has over 10 blocks in a unit")
        for index in chosen:
            if index not in self.quantized and self.components[index][2] not in self.quantization:
                raise Damage("its JPEG scan has no quantization table")
        self.quantized.update(chosen)
        classes = self.progression(count, *body[-3:]) if self.progressive else (DC, AC)
        for both in body[2:-3:2]:
            for table in classes:
                number = both >> 4 if table == DC else both & 15
                if not self.huffman.get(table + number):
                    raise Damage("its JPEG scan has no Huffman table, or a wrong one")

    def chosen(self, identifiers: bytes) -> list[int]:
        """Positions in the frame of a scan's components, which must be in the frame's order."""
        chosen = []
        for identifier in identifiers:
            for index, component in enumerate(self.components):
                # libjpeg passes over the first ones, as many as the scan has named before.
                if component[0] == identifier and index >= len(chosen):
                    break
            else:
                raise Damage("its JPEG scan has a component that is not in the frame")
            if index in chosen:
                raise Damage("its JPEG scan has a component twice")
            chosen.append(index)
        return chosen

    @staticmethod
    def progression(count: int, first: int, last: int, approximation: int) -> tuple[int, ...]:
        """The classes of Huffman tables that a progressive scan of `count` components uses."""
        high, low = divmod(approximation, 16)
        band = last == 0 if first == 0 else first <= last <= 63 and count == 1
        if not band or (high and low != high - 1) or low > 13:
            raise Damage("its JPEG scan has a wrong progression")
        if first:
            return (AC,)
        return () if high else (DC,)
