"""The documented settings of training and evaluation."""
from types import SimpleNamespace

config_train = SimpleNamespace(
    net_name="resnest50",  # resnest50, resnest101, resnest200 or resnest269
    root="/home/mindspore/dataset/imagenet_original",  # data set: train/<class>/<image> and val/<class>/<image>
    num_classes=1000,  # classes of the data set
    base_size=224,  # documented beside crop_size; a random crop needs no size before it
    crop_size=224,  # side of the training images
    label_smoothing=0.1,  # share of probability that the loss gives to the other classes
    batch_size=64,  # images a step on each device, 64 at most
    test_batch_size=64,  # images a step in evaluation, on each device
    last_gamma=True,  # whether the last batch norm of each block starts at 0, so that blocks start as their shortcuts
    final_drop=1.0,  # probability of keeping a feature before the classifier: 1 drops none
    epochs=270,  # passes over the training set
    start_epoch=0,  # epochs already done
    num_workers=64,  # workers of the data pipeline; no more than the machine has cores are used
    lr=0.025,  # learning rate for one device, multiplied by the number of devices
    lr_scheduler="cosine_annealing",  # 'cosine_annealing' or 'exponential'
    lr_epochs="30,60,90,120,150,180,210,240,270",  # exponential: epochs from which the rate is multiplied by lr_gamma
    lr_gamma=0.1,  # exponential: the factor
    eta_min=0,  # cosine_annealing: rate at epoch T_max
    T_max=270,  # cosine_annealing: epochs to eta_min
    max_epoch=270,  # epochs that the schedule covers
    warmup_epochs=5,  # epochs over which the rate rises from 0
    weight_decay=0.0001,  # L2 penalty
    momentum=0.9,  # of the optimiser
    is_dynamic_loss_scale=0,  # 1: the loss scale follows overflows, from 65536; 0: it stays at loss_scale
    loss_scale=1024,  # the loss is multiplied by this for float16 gradients, which are divided by it again
    disable_bn_wd=True,  # no weight decay on batch norm and biases
)
