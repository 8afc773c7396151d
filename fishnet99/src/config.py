"""The documented settings of training and evaluation."""
from types import SimpleNamespace

imagenet_cfg = SimpleNamespace(
    name="imagenet",  # data set, part of the checkpoints' names
    pre_trained=False,  # whether training starts from the weights in checkpoint_path
    num_classes=1000,  # classes of the data set
    lr_init=0.05,  # initial learning rate; documented: one device 0.05, two GPUs 0.1, eight Ascend 0.4
    batch_size=128,  # images a step on each device, in training and evaluation
    epoch_size=160,  # passes over the training set; documented for two GPUs: 110
    T_max=150,  # epochs over which the learning rate falls to eta_min; documented for two GPUs: 100
    eta_min=0.0,  # learning rate at epoch T_max
    warmup_epochs=0,  # epochs over which the learning rate rises from 0
    momentum=0.9,  # of the optimiser
    weight_decay=1e-4,  # L2 penalty, on everything but biases and batch norm
    image_height=224,  # of the network's input
    image_width=224,  # equal to image_height
    data_path="/data/ILSVRC2012_train/",  # training images, one folder a class
    val_data_path="/data/ILSVRC2012_val/",  # evaluation images, one folder a class
    device_target="Ascend",  # Ascend, GPU or CPU
    device_id=0,  # of a single device; ignored in distributed training
    keep_checkpoint_max=25,  # older checkpoints are removed
    checkpoint_path="./ckpt/train_fishnet99_imagenet-146_10009.ckpt",  # weights that pre_trained asks for
    is_dynamic_loss_scale=0,  # 1: the loss scale follows overflows, from 65536; 0: it stays at loss_scale
    loss_scale=1024,  # the loss is multiplied by this for float16 gradients, which are divided by it again
    use_label_smooth=True,  # whether the loss spreads label_smooth_factor over the other classes
    label_smooth_factor=0.1,
)
