"""Trees whose classes stand in a file, or that hang together by links; see oddity_cases.py."""

from oddity_cases import Case, moved, photos


def linked_split(root):
    (root / "all").mkdir()
    (root / "all/val").symlink_to(root / "elsewhere")
    truth = photos(root / "elsewhere")
    return Case(moved(truth, lambda path, name: root / "all/val" / name / path.name), data="all/")


def folder_images_in_each_class(root):
    truth = photos(root / "val")
    return Case(moved(truth, lambda path, name: root / "val" / name / "images" / path.name))


def tiny_imagenet(root):
    truth = photos(root / "tiny/val")
    truth = moved(truth, lambda path, name: root / "tiny/val/images" / path.name)
    lines = [f"{path.name}\t{name}\t0\t0\t62\t62" for path, name in truth.items()]
    (root / "tiny/val/val_annotations.txt").write_text("\n".join(lines))
    return Case(truth, data="tiny")


def tiny_imagenet_one_level_too_deep(root):
    return tiny_imagenet(root)._replace(data="tiny/val/images")


def tiny_imagenet_from_windows(root):
    case = tiny_imagenet(root)
    path = root / "tiny/val/val_annotations.txt"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    return case


def tiny_imagenet_without_one_line(root):
    case = tiny_imagenet(root)
    lines = (root / "tiny/val/val_annotations.txt").read_text().splitlines()
    (root / "tiny/val/val_annotations.txt").write_text("\n".join(lines[1:]))
    return case._replace(words="no class for")


def flat_with_a_list(root):
    truth = moved(photos(root / "val"), lambda path, name: root / "val" / path.name)
    lines = [f"{path.name} {name}" for path, name in truth.items()]
    (root / "val.txt").write_text("\n".join(lines))
    return Case(truth)


def flat_with_the_challenges_table(root):
    truth = moved(photos(root / "all/val"), lambda path, name: root / "all/val" / path.name)
    lines = [f"{path.stem},{name} 1 2 3 4" for path, name in truth.items()]
    table = "\n".join(["ImageId,PredictionString", *lines])
    (root / "all/LOC_val_solution.csv").write_text(table)
    return Case(truth, data="all")


def flat_with_numbers_alone(root):
    moved(photos(root / "val"), lambda path, name: root / "val" / path.name)
    (root / "ILSVRC2012_validation_ground_truth.txt").write_text("1\n2\n3\n1\n2\n3\n")
    return Case({}, "meta.mat")


def linked_class_folder(root):
    truth = photos(root / "val", 2, ("ash", "birch"))
    for path in photos(root / "elsewhere", 2, ("cedar",)):
        truth[root / "val/cedar" / path.name] = "cedar"
    (root / "val/cedar").symlink_to(root / "elsewhere/cedar")
    return Case(truth)


LAYOUTS = {
    function.__name__.replace("_", " "): function
    for function in (
        linked_split,
        folder_images_in_each_class,
        tiny_imagenet,
        tiny_imagenet_one_level_too_deep,
        tiny_imagenet_from_windows,
        tiny_imagenet_without_one_line,
        flat_with_a_list,
        flat_with_the_challenges_table,
        flat_with_numbers_alone,
        linked_class_folder,
    )
}
