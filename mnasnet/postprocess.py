"""Accuracy from the result files of the C++ program and the labels of create_imagenet2012_label.py.

python postprocess.py --result_path=./result_Files --label_path=./imagenet_label.json
"""

from src.vendored.launch import UserError, run

# isort: split
from src.vendored.flags import parse_flags
from src.vendored.results import count_results

SETTINGS = {
    "results": {
        "result_path": ("", "folder of <image name>_0.bin, float32 logits"),
        "label_path": ("", "label file of create_imagenet2012_label.py"),
    }
}


def main():
    """Print the number of images and their top-1 and top-5 accuracy in the documented form."""
    flags, _ = parse_flags(SETTINGS, description=__doc__)
    if not all(flags.values()):
        raise UserError("which results and labels? --result_path FOLDER --label_path FILE")
    counts = count_results(flags["result_path"], flags["label_path"])
    top1, top5 = counts.accuracies()
    print(f"Total data: {counts.images}, top1 accuracy: {top1}, top5 accuracy: {top5}.")


if __name__ == "__main__":
    run(main)
