"""Edits of the annotation file of nas_fpn_coco."""

import nas_fpn_coco as coco


def every(kind, **changes):
    """An edit of every entry of a list: a value, a function of the entry, or ... to remove it."""

    def edit(content):
        for entry in content[kind]:
            for key, value in changes.items():
                entry[key] = value(entry) if callable(value) else value
                if value is ...:
                    del entry[key]

    return edit


def one(kind, place, **changes):
    """The same of one entry."""

    def edit(content):
        every(kind, **changes)({kind: [content[kind][place]]})

    return edit


def both(*edits):
    def edit(content):
        for each in edits:
            each(content)

    return edit


def image_ids(key):
    """All images' ids through `key`, in images and annotations."""
    return both(
        every("images", id=lambda entry: key(entry["id"])),
        every("annotations", image_id=lambda entry: key(entry["image_id"])),
    )


def category_ids(key):
    return both(
        every("categories", id=lambda entry: key(entry["id"])),
        every("annotations", category_id=lambda entry: key(entry["category_id"])),
    )


def named(*names):
    """The images' files under other names, which the annotation file gives."""

    def edit(content):
        for image, name in zip(content["images"], names):
            image["file_name"] = name

    return edit


def added(kind, **entry):
    return lambda content: content[kind].append(entry)


def box(**changes):
    values = {"id": 7, "image_id": 1, "category_id": 1, "bbox": [5, 40, 9, 9], "iscrowd": 0}
    return added("annotations", **{**values, **changes})


def content_of(edit):
    """The annotation file after an edit."""
    content = coco.base() if callable(edit) else edit
    if callable(edit):
        edit(content)
    return content
