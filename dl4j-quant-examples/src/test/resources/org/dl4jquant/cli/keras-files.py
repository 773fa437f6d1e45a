"""Writes the Keras files of KerasFileTest: the HDF5 layout of Keras 2, labels computed by NumPy.

Needs h5py and NumPy, not Keras.
"""
import json

import h5py
import numpy as np

rng = np.random.default_rng(0)


def weights(*shape):
    return rng.normal(0, 0.3, shape).astype("f4")


def save(path, configuration, layers):
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.11.0"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(configuration)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [name.encode() for name in layers]
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = b"2.11.0"
        for name, values in layers.items():
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [f"{name}/{key}:0".encode() for key in values]
            for key, value in values.items():
                layer.create_dataset(f"{name}/{key}:0", data=value)


def layer(kind, name, *inputs, **settings):
    node = [[[i, 0, 0, {}] for i in inputs]] if inputs else []
    config = dict(name=name, trainable=True, dtype="float32", **settings)
    return dict(class_name=kind, name=name, config=config, inbound_nodes=node)


INIT = dict(class_name="Zeros", config={})
PARAMETERS = dict(
    use_bias=True, kernel_initializer=INIT, bias_initializer=INIT, kernel_regularizer=None,
    bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None)


def conv(name, filters, size, activation, padding, *inputs):
    return layer(
        "Conv2D", name, *inputs, filters=filters, kernel_size=[size, size], strides=[1, 1],
        padding=padding, data_format="channels_last", dilation_rate=[1, 1], groups=1,
        activation=activation, **PARAMETERS)


def dense(name, units, activation, *inputs):
    return layer("Dense", name, *inputs, units=units, activation=activation, **PARAMETERS)


def pool(name, *inputs):
    return layer(
        "MaxPooling2D", name, *inputs, pool_size=[2, 2], padding="valid", strides=[2, 2],
        data_format="channels_last")


def flatten(name, *inputs):
    return layer("Flatten", name, *inputs, data_format="channels_last")


def images(name):
    return layer("InputLayer", name, batch_input_shape=[None, 8, 8, 2], sparse=False, ragged=False)


def compute_conv(x, kernel, bias):
    size = kernel.shape[0]
    n, height, width, _ = x.shape
    out = np.zeros((n, height - size + 1, width - size + 1, kernel.shape[3]))
    for i in range(size):
        for j in range(size):
            part = x[:, i : height - size + 1 + i, j : width - size + 1 + j]
            out += np.einsum("nhwc,cd->nhwd", part, kernel[i, j])
    return out + bias


def compute_pool(x):
    n, height, width, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))


x = rng.normal(0, 1, (12, 8, 8, 2)).astype("f4")

w = {
    "images": {},
    "conv": dict(kernel=weights(3, 3, 2, 6), bias=weights(6)),
    "pool": {},
    "flatten": {},
    "dense": dict(kernel=weights(54, 16), bias=weights(16)),
    "classes": dict(kernel=weights(16, 5), bias=weights(5)),
}
save(
    "keras-sequential.h5",
    dict(class_name="Sequential", config=dict(name="sequential", layers=[
        images("images"), conv("conv", 6, 3, "relu", "valid"), pool("pool"), flatten("flatten"),
        dense("dense", 16, "relu"), dense("classes", 5, "softmax")])),
    w)
h = compute_pool(np.maximum(compute_conv(x, **w["conv"]), 0)).reshape(len(x), -1)
h = np.maximum(h @ w["dense"]["kernel"] + w["dense"]["bias"], 0)
logits = h @ w["classes"]["kernel"] + w["classes"]["bias"]
np.savez("keras-sequential.npz", x=x, y=logits.argmax(1))

w = {
    "images": {},
    "conv_wide": dict(kernel=weights(3, 3, 2, 4), bias=weights(4)),
    "norm": dict(
        gamma=1 + weights(4), beta=weights(4), moving_mean=weights(4),
        moving_variance=1 + abs(weights(4))),
    "conv_point": dict(kernel=weights(1, 1, 2, 4), bias=weights(4)),
    "sum": {},
    "pool": {},
    "flatten": {},
    "classes": dict(kernel=weights(64, 5), bias=weights(5)),
    "softmax": {},
}
save(
    "keras-functional.h5",
    dict(class_name="Functional", config=dict(
        name="functional", input_layers=[["images", 0, 0]], output_layers=[["softmax", 0, 0]],
        layers=[
            images("images"), conv("conv_wide", 4, 3, "linear", "same", "images"),
            layer(
                "BatchNormalization", "norm", "conv_wide", axis=[3], momentum=0.99, epsilon=1e-3,
                center=True, scale=True, beta_initializer=INIT, gamma_initializer=INIT,
                moving_mean_initializer=INIT, moving_variance_initializer=INIT,
                beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
                gamma_constraint=None),
            conv("conv_point", 4, 1, "relu", "valid", "images"),
            layer("Add", "sum", "norm", "conv_point"), pool("pool", "sum"),
            flatten("flatten", "pool"), dense("classes", 5, "linear", "flatten"),
            layer("Activation", "softmax", "classes", activation="softmax")])),
    w)
wide = compute_conv(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), **w["conv_wide"])
n = w["norm"]
wide = n["gamma"] * (wide - n["moving_mean"]) / np.sqrt(n["moving_variance"] + 1e-3) + n["beta"]
h = wide + np.maximum(compute_conv(x, **w["conv_point"]), 0)
logits = compute_pool(h).reshape(len(x), -1) @ w["classes"]["kernel"] + w["classes"]["bias"]
np.savez("keras-functional.npz", x=x, y=logits.argmax(1))
