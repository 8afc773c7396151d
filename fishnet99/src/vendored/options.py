# Copied from utils/vendored/options.py by `make vendor`: change it there.
"""Options of training that every folder has; each is off unless it is given."""

from types import SimpleNamespace

# group: {key: (default, meaning, and where not every value will do, the choices or the range)}
# fmt: off
# In scripts that load weights, too.
AVERAGES = {"averages": {
    "ema_weights": (False,
                    "load the averages of the weights, ema.NAME, that a checkpoint of another"
                    " program holds beside them"),
}}
# Of networks with residual branches.
DROP_PATH = {"stochastic depth": {
    "drop_path": (0.0,
                  "probability that a training image goes around the last residual branch; it"
                  " grows from the first on in a straight line; 0: off", {"min": 0.0, "max": 0.9}),
}}
SETTINGS = {
    "recipe": {
        "recipe": ("documented",
                   "settings from a yaml file, which flags go before: the name of one in recipes,"
                   " or a path; unless given, the folder's own, which documented repeats"),
    },
    **AVERAGES,
    "watching a run": {
        "dry_run": (False, "train one step, print what the run would be, write nothing"),
        "tensorboard": (False, "write TensorBoard's files too; wants the package tensorboardX"),
        "compile_cache": ("",
                          "folder that keeps the compiled step, which another start of the same"
                          " training takes: same settings, source, versions; unless given, none"),
    },
    "beyond the documentation": {
        "ema_decay": (0.0,
                      "average the weights, of which each step keeps this share; the averages are"
                      " evaluated and saved; 0: off",
                      {"min": 0.0, "max": 0.999999}),
        "accumulate_steps": (1, "batches whose gradients are averaged for one step of the"
                                " optimiser; the schedule counts batches", {"min": 1}),
        "clip_norm": (0.0, "largest norm of all gradients together; 0: off", {"min": 0.0}),
        "stop_after": (0, "end after so many evaluations without a better score; 0: off",
                       {"min": 0}),
        "freeze": ("", "parameters to keep as they are: beginnings of their names, with commas"
                       " between; BatchNorm among them keeps its statistics"),
        "base_batch": (0, "images a step, on all devices, that the learning rates are meant for:"
                          " they are multiplied by those of this run over these; 0: off",
                       {"min": 0}),
        "restart_epochs": (0.0,
                           "after the largest rate, cosines to the smallest that last so many"
                           " epochs, in place of the folder's schedule; 0: off",
                           {"min": 0.0}),
        "restart_factor": (1.0, "how much longer each of these cosines is than the one before",
                           {"min": 1.0}),
        "step_epochs": ("",
                        "after the largest rate, in place of the folder's schedule, rates that are"
                        " multiplied by step_factor at these epochs: 30,40 or every 2.4"),
        "step_factor": (0.1, "by what step_epochs multiplies", {"min": 0.0, "max": 1.0}),
        "optimizer": ("documented", "adamw: Adam with decoupled weight decay",
                      ["documented", "adamw"]),
        "cpu_bfloat16": (False, "on CPU, convolutions that train multiply in bfloat16 and sum in"
                                " float32; wants the CPU kernels, and a processor that has it"),
        "norm_decay": (True, "False: no weight decay on biases and BatchNorm, whatever the"
                             " documentation has"),
    },
}
# fmt: on


def defaults() -> SimpleNamespace:
    """The settings with nothing given."""
    rows = [row for group in SETTINGS.values() for row in group.items()]
    return SimpleNamespace(**{key: row[0] for key, row in rows})
