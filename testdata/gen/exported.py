"""Writes torch/aoti/testdata/exported.pt2, a package of torch.export.save: a graph and weights, no code."""
import os
import torch

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "torch", "aoti", "testdata", "exported.pt2")
os.makedirs(os.path.dirname(out), exist_ok=True)
program = torch.export.export(torch.nn.ReLU(), (torch.ones(2),))
for node in program.graph.nodes:
    node.meta.pop("stack_trace", None)  # it names files of the machine that runs this
torch.export.save(program, out)
