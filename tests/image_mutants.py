"""Mutants of image files: what storage, networks and programs do to them, and worse."""

import struct
import zlib

from image_files import segments

SPECIAL = (0, 1, 2, 0x0F, 0x10, 0x3F, 0x40, 0x7F, 0x80, 0xFE, 0xFF)
MARKERS = (0, 1, 0x42, *range(0xC0, 0x100))


def mutant(draw, sources):
    """A mutant (bytes) of one of `sources`, by changes drawn from `draw` (random.Random)."""
    content = draw.choice(sources)
    if content[:2] == b"\xff\xd8" and draw.random() < 0.6:
        content = changed_segment(draw, content)
    elif content[:2] == b"\x89P" and draw.random() < 0.7:
        content = changed_chunk(draw, content)
    else:
        content = changed_bytes(draw, content, sources)
    while draw.random() < 0.25:
        content = changed_bytes(draw, content, sources)
    return content


def changed_bytes(draw, content, sources):
    """`content` with a change that knows nothing of formats; half of them within the header."""
    content = bytearray(content)
    size = len(content)
    at = draw.randrange(max(min(size, 700) if draw.random() < 0.5 else size, 1))
    kind = draw.randrange(9)
    if kind == 0 and content:
        content[at] ^= 1 << draw.randrange(8)
    elif kind == 1 and content:
        content[at] = draw.choice(SPECIAL)
    elif kind == 2:
        content[at : at + 2] = struct.pack(">H", draw.choice((0, 1, 2, 3, 16, 255, 65535)))
    elif kind == 3:
        content[at:at] = draw.randbytes(draw.choice((1, 2, 5, 40)))
    elif kind == 4:
        del content[at : at + draw.choice((1, 2, 3, 17, 200))]
    elif kind == 5:
        del content[draw.choice((at, size - draw.randrange(1, 12), size * 9 // 10)) :]
    elif kind == 6:
        other = draw.choice(sources)
        content[at:] = other[draw.randrange(len(other)) :]
    elif kind == 7:
        content[at:at] = bytes((0xFF, draw.choice(MARKERS)))
    else:
        content[at:at] = content[at : at + draw.randrange(1, 100)]
    return bytes(content)


def changed_segment(draw, content):
    """A sound JPEG file `content` with a change in, or of, one of its segments."""
    found = segments(content)
    marker, start, end = draw.choice(found)
    piece = bytearray(content[start:end])
    kind = draw.randrange(8)
    if kind == 0:
        piece *= 2
    elif kind == 1:
        piece.clear()
    elif kind == 2 and marker:
        piece[2:4] = struct.pack(">H", (len(piece) - 2 + draw.randrange(-3, 4)) % 65536)
    elif kind == 3 and marker:
        piece[1] = draw.choice(MARKERS)
    elif kind == 4:
        _, other, other_end = draw.choice(found)
        piece += content[other:other_end]
    elif kind == 5:
        # The same length, and none but one value changed: what gets furthest.
        piece[draw.randrange(min(4, len(piece) - 1), len(piece))] = draw.choice(SPECIAL)
    elif kind == 6:
        at = draw.randrange(min(4, len(piece) - 1), len(piece))
        piece[at] = (piece[at] + draw.choice((-17, -16, -1, 1, 16, 17))) % 256
    else:
        at = draw.randrange(len(piece))
        piece[at : at + 1] = bytes((0xFF, draw.choice(MARKERS)))
    return content[:start] + bytes(piece) + content[end:]


def changed_chunk(draw, content):
    """A PNG file `content` with a change in one chunk, whose checksum is right again."""
    chunks, at = [], 8
    while content[at:] and len(chunks) < 50:
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        chunks.append(bytearray(content[at:end]))
        at = end
    index = draw.randrange(len(chunks))
    kind = draw.randrange(6)
    if kind == 0:
        del chunks[index]
    elif kind == 1:
        chunks.insert(draw.randrange(len(chunks)), chunks[index])
    else:
        body = chunks[index][8:-4] or bytearray(1)
        at = draw.randrange(len(body))
        if kind == 2:
            del body[at:]
        elif kind == 3:
            body[at:at] = draw.randbytes(draw.randrange(1, 20))
        else:
            body[at] = draw.choice((*SPECIAL, body[at] ^ 1, body[at] ^ 16))
        tagged = chunks[index][4:8] + body
        chunks[index] = (
            struct.pack(">I", len(body)) + tagged + struct.pack(">I", zlib.crc32(tagged))
        )
    return content[:8] + b"".join(chunks)
