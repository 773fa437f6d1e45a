"""Compares our quantized networks with those of onnxruntime.quantization.quantize_static.

    pip install onnx onnxruntime
    python compare_with_onnxruntime.py DIRECTORY

DIRECTORY is what org.dl4jquant.benchmarks.PeerInputs wrote. Both sides get the same float network and the
same calibration data. Prints, per network, top-1 on the test split and the SQNR of the logits in dB against
the float network, for every calibrator, per tensor and per channel, with signed and unsigned activations. ONNX Runtime
gives logits 8 bits; ours have 16 unless said. A table of ours beside the best of ONNX Runtime comes last.
"""

import logging
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

logging.disable(logging.WARNING)
onnxruntime.set_default_logger_severity(3)


class Examples(CalibrationDataReader):
    def __init__(self, name, array, batch=32):
        self.batches = iter(
            [{name: array[i : i + batch]} for i in range(0, len(array), batch)]
        )

    def get_next(self):
        return next(self.batches, None)


def logits(file, x):
    """What the softmax at the end of the network takes."""
    model = onnx.load(file)
    producers = {name: node for node in model.graph.node for name in node.output}
    node = producers[model.graph.output[0].name]
    while node.op_type != "Softmax":
        node = producers[node.input[0]]
    name = node.input[0]
    if name not in {output.name for output in model.graph.output}:
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run([name], {session.get_inputs()[0].name: x})[0]


def sqnr(reference, found):
    noise = np.sum((reference.astype(np.float64) - found) ** 2)
    return np.inf if noise == 0 else 10 * np.log10(np.sum(reference.astype(np.float64) ** 2) / noise)


def row(setting, reference, found, labels):
    top1 = 100 * np.mean(found.argmax(1) == labels)
    decibels = sqnr(reference, found)
    print(f"| {setting} | {top1:.1f} | {decibels:.2f} |", flush=True)
    return decibels, f"{top1:.1f}, {decibels:.1f}"


def ours(directory, bits):
    """Our files of weights of this width: what is said of each, and the file."""
    for file in sorted(directory.glob(f"w{bits}a8-*.onnx")):
        yield file.stem.removeprefix(f"w{bits}a8-").replace("-", ", ").replace("logits", "logits of ") + " bits", file


def compare(directory):
    x = np.load(directory / "test.npy")
    labels = np.load(directory / "labels.npy").argmax(1)
    calibration = np.load(directory / "calibration.npy")
    reference = logits(directory / "float.onnx", x)
    print(f"\n### {directory.name}\n\n| setting | top-1, % | logit SQNR, dB |\n|---|---|---|")
    row("float", reference, reference, labels)
    cells = [directory.name, f"{100 * np.mean(reference.argmax(1) == labels):.1f}"]
    for bits, weights in ((8, QuantType.QInt8), (4, QuantType.QInt4)):
        for setting, file in ours(directory, bits):
            cells.append(row(f"W{bits}A8 ours, {setting}", reference, logits(file, x), labels)[1])
        theirs = []
        for method in (CalibrationMethod.MinMax, CalibrationMethod.Entropy, CalibrationMethod.Percentile):
            for per_channel in (False, True):
                for activations in (QuantType.QInt8, QuantType.QUInt8):
                    setting = (
                        f"W{bits}A8 ONNX Runtime {method.name}, "
                        f"{'channel' if per_channel else 'tensor'}, {activations.name}"
                    )
                    with tempfile.TemporaryDirectory() as folder:
                        prepared = f"{folder}/prepared.onnx"
                        quantized = f"{folder}/quantized.onnx"
                        try:
                            quant_pre_process(directory / "float.onnx", prepared, skip_symbolic_shape=True)
                            name = onnx.load(prepared).graph.input[0].name
                            quantize_static(
                                prepared,
                                quantized,
                                Examples(name, calibration),
                                quant_format=QuantFormat.QDQ,
                                calibrate_method=method,
                                per_channel=per_channel,
                                activation_type=activations,
                                weight_type=weights,
                            )
                            theirs.append(row(setting, reference, logits(quantized, x), labels))
                        except Exception as problem:  # a setting that ONNX Runtime cannot run is a result, too
                            print(f"| {setting} | failed: {str(problem).splitlines()[0][:80]} | |", flush=True)
        cells.append(max(theirs)[1] if theirs else "none")
    return cells


if __name__ == "__main__":
    children = [child for child in sorted(pathlib.Path(sys.argv[1]).iterdir()) if (child / "float.onnx").exists()]
    tables = [compare(child) for child in children]
    columns = ["network", "float"]
    for bits in (8, 4):
        columns += [f"W{bits}A8 {setting}" for setting, _ in ours(children[0], bits)]
        columns.append(f"W{bits}A8 best of ONNX Runtime")
    print(f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for cells in tables:
        print(f"| {' | '.join(cells)} |")
