"""Checks ONNX files with onnx.checker, shape inference included, and loads and runs them in ONNX Runtime.

    pip install onnx onnxruntime
    python check_onnx.py FILE.onnx...
"""

import sys

import numpy as np
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(3)

for file in sys.argv[1:]:
    onnx.checker.check_model(file, full_check=True)
    session = onnxruntime.InferenceSession(file)
    inputs = {
        value.name: np.zeros([s if isinstance(s, int) else 3 for s in value.shape], np.float32)
        for value in session.get_inputs()
    }
    shapes = [list(output.shape) for output in session.run(None, inputs)]
    opset = onnx.load(file, load_external_data=False).opset_import[0].version
    print(f"{file}: opset {opset}, outputs {shapes}")
