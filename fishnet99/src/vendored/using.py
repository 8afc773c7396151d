# Copied from utils/vendored/using.py by `make vendor`: change it there.
"""The settings of export.py, predict.py and finetune.py: {key: (default, meaning[, limit])}."""

FORMATS = ["AIR", "MINDIR", "ONNX"]
# What export.py takes in every folder: {key: (default, meaning, choices or range)}.
EXPORTING = {
    "opset": (11, "ONNX: version of its operators", {"min": 11, "max": 21}),
    "dynamic_batch": (False, "ONNX: take any number of images at a time"),
    "precision": (
        "float32",
        "ONNX: what it computes in; int8 wants --calibration",
        ["float32", "float16", "int8"],
    ),
}
# What precision int8 needs, in folders that have it.
CALIBRATION = ("", "precision int8: images as for evaluation, to measure ranges and accuracy")
ANSWERS = {
    "model": ("", "checkpoint, ONNX or MINDIR file"),
    "photos": ((), "photos, and folders, in which they may lie at any depth"),
    "csv": ("", "file for a table: one line for each answer"),
    "json": ("", "file for the same, with each photo's size and how it was turned"),
    "pictures": ("", "folder for the photos with the answers on them, and sheet.png of them all"),
}
MODEL_NAMES = dict.fromkeys(("checkpoint_path", "onnx_path", "mindir_path"), "model")  # aliases
CLASSIFYING = {
    **ANSWERS,
    "top": (5, "answers for each photo, the likeliest first", {"min": 1}),
    "grad_cam": (False, "colour the pictures by what the first answer hangs on; for checkpoints"),
    "class_names": ("", "text file of the class names, for models that do not know theirs"),
}
# With these some fifty photos a class are enough, from trained weights.
FINE_TUNING = {
    "dataset_path": ("", "photos, one folder a class; or the folder of train and val"),
    "pre_trained": ("", "checkpoint to start from, with its options; none: weights by chance"),
    "freeze_features": (False, "train the classifier alone; wants pre_trained"),
    "output": ("finetuned", "folder of the checkpoints, the curves and the exported files"),
    "epochs": (20, "times that each photo is seen", {"min": 1}),
    "batch_size": (16, "photos a step", {"min": 1}),
    "lr": (0.02, "highest learning rate with 16 photos a step; scaled with these", {"min": 0}),
    "num_workers": (8, "data pipeline workers, at most one a core", {"min": 1}),
    "seed": (1, "of everything drawn by chance", {"min": 0}),
}
