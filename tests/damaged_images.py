"""Damaged image files, each with words of the phrase that `damage` has for it."""

from image_files import (
    bmp_run_lengths,
    encoded,
    jpeg_files,
    picture,
    png_chunk,
    segment,
    segments,
    without,
)

SOF0, SOF2, DHT, SOS, DQT, DRI = 0xC0, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD
END = b"\xff\xd9"


def changed(content, marker, at, new, turn=0):
    """The JPEG file `content` with the bytes `new` at `at`, counted from the marker of its segment
    number `turn` of that kind.
    """
    start = [start for kind, start, _ in segments(content) if kind == marker][turn] + at
    return content[:start] + new + content[start + len(new) :]


def before(content, marker, new, turn=0):
    """The JPEG file `content` with `new` put in before a segment."""
    start = [start for kind, start, _ in segments(content) if kind == marker][turn]
    return content[:start] + new + content[start:]


def damaged_jpeg_files():
    """{name: (content, words)} of damaged JPEG files."""
    files = jpeg_files()
    return {**_cut_short(files), **_frames(files), **_tables(files), **_scans(files)}


def _cut_short(files):
    plain, progressive = files["plain"], files["progressive"]
    separate, restart = files["separate_scans"], files["restart"]
    scans = [start for marker, start, _ in segments(progressive) if marker == SOS]
    cut, headless = "no end marker", "cut short before its scan"
    return {
        "header_cut": (plain[:300], headless),
        "header_cut_in_marker": (plain[:20] + b"\xff", headless),
        "thumbnail_only": (files["thumbnail"][:900], headless),
        "long_comment": (before(plain, SOF0, b"\xff\xfe\xff\xff"), headless),
        "half": (plain[: len(plain) // 2 + 200], cut),
        "no_end": (plain[:-2], cut),
        "half_an_end": (plain[:-1], cut),
        "restart_no_end": (restart[:-2], cut),
        "progressive_no_end": (progressive[:-2], cut),
        "progressive_half_an_end": (progressive[:-1], cut),
        "progressive_cut_between_scans": (progressive[: scans[3]], cut),
        "progressive_cut_in_scan": (progressive[: scans[3] + 5], cut),
        "separate_no_end": (separate[:-2], cut),
    }


def _frames(files):
    """And markers that are not to be, where a frame is expected."""
    plain, progressive = files["plain"], files["progressive"]
    return {
        "cmyk_without_adobe": (files["cmyk"].replace(b"Adobe", b"Adobo"), "without Adobe's marker"),
        "no_scan": (without(plain, SOS, 0), "has no scan"),
        "tables_only": (without(plain, SOF0, SOS, 0), "has no scan"),
        "no_frame": (without(plain, SOF0), "scan before its frame"),
        "two_frames": (before(plain, SOF0, plain[158:177]), "two frames"),
        "arithmetic": (changed(plain, SOF0, 1, b"\xc9"), "arithmetic-coded"),
        "arithmetic_progressive": (changed(progressive, SOF2, 1, b"\xca"), "arithmetic-coded"),
        "arithmetic_tables": (before(plain, SOS, segment(0xCC, b"\0\x10")), "arithmetic-coded"),
        "lossless": (changed(plain, SOF0, 1, b"\xc3"), "lossless"),
        "hierarchical": (changed(plain, SOF0, 1, b"\xc5"), "hierarchical"),
        "extension": (changed(plain, SOF0, 1, b"\xc8"), "marker FF C8"),
        "second_start": (before(plain, SOF0, b"\xff\xd8\0\2"), "marker FF D8"),
        "marker_between_scans": (before(progressive, SOS, b"\xff\x42\0\2", 2), "marker FF 42"),
        "precision": (changed(plain, SOF0, 4, b"\x0c"), "3 components of 12 bits"),
        "no_height": (changed(plain, SOF0, 5, b"\0\0"), "size is 48 x 0"),
        "wide": (changed(plain, SOF0, 7, b"\xff\xdd"), "size is 65501 x 40"),
        "huge": (changed(plain, SOF0, 5, b"\xff\0\xff\0"), "size is 65280 x 65280"),
        "two_components": (
            changed(plain, SOF0, 2, b"\0\x0e\x08\0\x28\0\x30\2"),
            "2 components of 8",
        ),
        "frame_length": (changed(plain, SOF0, 9, b"\2"), "frame has a wrong length"),
        "frame_length_zero": (changed(plain, SOF0, 2, b"\0\0"), "FF C0 has a wrong length"),
        "sampling_0": (changed(plain, SOF0, 11, b"\x20"), "sampling factors"),
        "sampling_5": (changed(plain, SOF0, 11, b"\x51"), "sampling factors"),
        "sampling_3_2": (changed(plain, SOF0, 11, b"\x31\0\2\x21"), "sampling"),
        "sampling_2_3": (changed(plain, SOF0, 11, b"\x13\0\2\x12"), "sampling"),
        "sampling_sum": (changed(plain, SOF0, 11, b"\x42\0\2\x41"), "over 10 blocks"),
    }


def _tables(files):
    plain, progressive, wide = files["plain"], files["progressive"], files["long_quantization"]
    table = "wrong number"
    return {
        "quantization_32768": (changed(wide, DQT, 7, b"\x80\0"), "a value over 32767"),
        "no_quantization": (without(plain, DQT), "no quantization table"),
        "quantization_choice": (changed(plain, SOF0, 12, b"\3"), "no quantization table"),
        "quantization_number": (changed(plain, DQT, 4, b"\4"), table),
        "quantization_length": (changed(plain, DQT, 4, b"\x10"), "quantization tables have a"),
        "no_huffman": (without(progressive, DHT), "no Huffman table"),
        "huffman_choice": (changed(plain, SOS, 6, b"\x20"), "no Huffman table"),
        "huffman_choice_ac": (changed(plain, SOS, 6, b"\x03"), "no Huffman table"),
        "huffman_number": (changed(plain, DHT, 4, b"\4"), table),
        "huffman_class": (changed(plain, DHT, 4, b"\x20"), table),
        "huffman_count": (changed(plain, DHT, 8, b"\xff"), "too many codes"),
        "huffman_total": (
            before(plain, SOS, segment(DHT, b"\0" + b"\x14" * 16 + bytes(320))),
            "many",
        ),
        "huffman_prefix": (changed(plain, DHT, 5, b"\2"), "too many codes"),
        "huffman_ones": (
            before(plain, SOS, segment(DHT, b"\0\2" + bytes(15) + b"\0\1")),
            "or a wrong one",
        ),
        "huffman_symbol": (changed(plain, DHT, 21, b"\x10"), "or a wrong one"),
        "huffman_length": (before(plain, SOS, segment(DHT, b"\0")), "tables have a wrong length"),
        "huffman_later": (changed(progressive, DHT, 5, b"\3\0\0", 4), "Huffman table"),
        "restart_length": (before(plain, SOS, segment(DRI, b"\0\0\0")), "restart interval"),
    }


def _scans(files):
    plain, progressive = files["plain"], files["progressive"]
    separate = files["separate_scans"]
    return {
        "scan_length": (changed(plain, SOS, 4, b"\2"), "scan has a wrong length"),
        "scan_empty": (changed(plain, SOS, 2, b"\0\6\0"), "scan has a wrong length"),
        "scan_stranger": (changed(plain, SOS, 5, b"\7"), "not in the frame"),
        "scan_order": (changed(plain, SOS, 5, b"\2\x11\1\0"), "not in the frame"),
        "scan_twice": (
            changed(changed(plain, SOF0, 10, b"\2"), SOS, 5, b"\3\x11\2\x11\3"),
            "component twice",
        ),
        "scan_later": (changed(progressive, SOS, 5, b"\7", 3), "not in the frame"),
        "separate_later": (changed(separate, SOS, 5, b"\7", 2), "not in the frame"),
        "band_of_dc": (changed(progressive, SOS, 12, b"\1"), "progression"),
        "band_backwards": (changed(progressive, SOS, 7, b"\6\5", 1), "progression"),
        "band_beyond": (changed(progressive, SOS, 8, b"\x40", 1), "progression"),
        "band_of_all": (changed(progressive, SOS, 11, b"\1\1"), "progression"),
        "approximation": (changed(progressive, SOS, 9, b"\x31", 1), "progression"),
        "approximation_14": (changed(progressive, SOS, 9, b"\x0e", 1), "progression"),
    }


def damaged_other_files():
    """{name: (content, words)} of damaged PNG and BMP files."""
    image = picture(24, 24)
    png, bmp = encoded(image, "PNG"), encoded(image, "BMP")
    signature, header, data, end = png[:8], png[8:33], png[33:-12], png[-12:]
    animated = encoded(image, "PNG", save_all=True, append_images=[image.rotate(90)], duration=50)
    gray = png_chunk(b"IHDR", header[8:16] + b"\x08\x07\0\0\0")
    narrow = png_chunk(b"IHDR", bytes(4) + header[12:21])
    odd = png_chunk(b"IHDR", header[8:20] + b"\2")
    return {
        "png_half": (png[: len(png) // 2], "PNG file is cut short"),
        "png_no_end": (png[:-12], "PNG file is cut short"),
        "png_byte": (png[:90] + b"\0\0" + png[92:], "checksum"),
        "png_no_data": (signature + header + end, "no image data"),
        "png_no_palette": (
            signature + png_chunk(b"IHDR", header[8:17] + b"\3\0\0\0") + data + end,
            "no palette",
        ),
        "png_no_header": (signature + data + header + end, "no header"),
        "png_colour": (signature + gray + data + end, "header that is not supported"),
        "png_interlace": (signature + odd + data + end, "header that is not supported"),
        "png_no_width": (signature + narrow + data + end, "size is 0 x 24"),
        "png_animated": (animated, "animated"),
        "bmp_half": (bmp[: len(bmp) // 2], "BMP file is cut short"),
        "bmp_byte": (bmp[:-1], "BMP file is cut short"),
        "bmp_header_cut": (bmp[:40], "BMP file is cut short"),
        "bmp_header": (bmp[:14] + b"\x29" + bmp[15:], "header not supported"),
        "bmp_depth": (bmp[:28] + b"\5" + bmp[29:], "5 bits a pixel in compression 0"),
        "bmp_offset": (bmp[:10] + b"\x10" + bmp[11:], "BMP file is cut short"),
        "bmp_no_width": (bmp[:18] + bytes(4) + bmp[22:], "size is 0 x 24"),
        "bmp_run_lengths": (bmp_run_lengths()[:500], "BMP file is cut short"),
    }
