"""Tiny networks in ONNX, with random weights, laid where rembg looks for those of its sessions."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gpu_worker.mattes.rembg import Rembg
from popcon.mattes import MatteModel, matte
from popcon.weights import place

CHANNELS = 4


def lay(name: str, batch: int | None = None, seed: int = 1) -> MatteModel:
    """Give the matte of that name a network that answers as its family does, with a batch of that number or of any.

    It goes to REMBG_HOME, which has to be the test's own.
    """
    model = matte(name)
    file = place(model)
    file.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(_network("logits" if "birefnet" in name else "alpha", batch or "n", seed), file)
    return model


def loaded(name: str, batch: int | None = None) -> Rembg:
    """The matte of that name with such a network."""
    return Rembg(lay(name, batch))


def _network(answers: str, batch: int | str, seed: int) -> onnx.ModelProto:
    random = np.random.default_rng(seed)
    weights = {
        "look": random.normal(0, 0.6, (CHANNELS, 3, 5, 5)).astype(np.float32),
        "sum": random.normal(0, 1.5, (1, CHANNELS, 1, 1)).astype(np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["image", "look"], ["seen"], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["seen"], ["kept"]),
        helper.make_node("Conv", ["kept", "sum"], ["logits"]),
    ]
    if answers == "alpha":
        nodes.append(helper.make_node("Sigmoid", ["logits"], ["alpha"]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, "h", "w"])],
        [helper.make_tensor_value_info(answers, TensorProto.FLOAT, [batch, 1, "h", "w"])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model
