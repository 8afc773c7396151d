# Copied from utils/vendored/jpeg.py by `make vendor`: change it there.
"""Images whose decoding would end MindSpore's decoder by a signal, told by their structure."""


def damage(content):
    """What is wrong with the image file `content` (bytes), or "" where nothing is."""
    if content[:2] == b"\xff\xd8" and b"\xff\xda" not in content:
        return "the JPEG file has no scan"
    return ""
