"""Checks ONNX files with onnx.checker, shape inference included, and loads and runs them in ONNX Runtime.

    pip install onnx onnxruntime
    python check_onnx.py [--size N] FILE.onnx...

N is the size of the axes that only data tells, 28 without. Goes on behind a file that fails, and exits with 1 then.
"""

import argparse
import sys

import numpy as np
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(3)
parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=28)
parser.add_argument("files", nargs="+")
arguments = parser.parse_args()



def check(file):
    onnx.checker.check_model(file, full_check=True)
    session = onnxruntime.InferenceSession(file)
    inputs = {}
    for value in session.get_inputs():
        sizes = [size if isinstance(size, int) else arguments.size for size in value.shape[1:]]
        inputs[value.name] = np.zeros([3, *sizes], np.float32)
    shapes = [list(output.shape) for output in session.run(None, inputs)]
    opset = onnx.load(file, load_external_data=False).opset_import[0].version
    print(f"{file}: opset {opset}, outputs {shapes}")


failed = 0
for file in arguments.files:
    try:
        check(file)
    except Exception as problem:
        failed += 1
        print(f"{file}: failed: {str(problem).splitlines()[0]}")
if failed:
    sys.exit(f"{failed} of {len(arguments.files)} files failed")
