"""The documented settings of training and evaluation."""
from types import SimpleNamespace

config = SimpleNamespace(
    class_num=1000,  # classes of the data set
    batch_size=256,  # images a step, on each device
    loss_scale=1024,  # the loss is multiplied by this for float16 gradients, which are divided by it again
    momentum=0.9,  # of the optimiser
    weight_decay=1e-5,  # L2 penalty, on everything but batch norm's gamma and beta
    epoch_size=250,  # passes over the training set; the documented run on GPU took 300
    save_checkpoint=True,  # whether to write checkpoints
    save_checkpoint_epochs=1,  # epochs between checkpoints
    keep_checkpoint_max=5,  # older checkpoints are removed
    save_checkpoint_path="./checkpoint",  # checkpoints go to model_{rank}/ in here
    opt="rmsprop",  # 'rmsprop' or 'sgd'
    opt_eps=0.001,  # added to RMSProp's mean square
    warmup_epochs=5,  # epochs over which the rate rises from lr_init to lr_max
    lr_decay_mode="other",  # 'other' (a line), 'poly', 'cosine', 'linear' or 'steps': see src/lr_generator.py
    use_label_smooth=True,  # whether the loss spreads label_smooth_factor over the other classes
    label_smooth_factor=0.1,
    lr_init=0.0001,  # rate of the first step
    lr_max=0.2,  # rate at the end of the warm-up
    lr_end=0.00001,  # rate at the end
)
