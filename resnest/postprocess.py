"""Accuracy from the result files of the C++ program and the labels of create_imagenet2012_label.py.

python postprocess.py --result_path=./result_Files --label_path=./imagenet_label.json
"""

from src.vendored.launch import run

# isort: split
from src.vendored.results import judge_as_told


def main() -> None:
    """Print the top-1 and top-5 accuracy in the documented two lines."""
    counts = judge_as_told(__doc__)
    top1, top5 = counts.accuracies()
    print(f"acc={top1:.4f}(TOP1)")
    print(f"acc={top5:.4f}(TOP5)")


if __name__ == "__main__":
    run(main)
