# Reads the files of the graph Cora as the programs gcn and gat of PyTorch's examples do.
import os

import numpy as np
import torch


def load(path):
    content = np.genfromtxt(os.path.join(path, "cora.content"), dtype=str)
    cites = np.genfromtxt(os.path.join(path, "cora.cites"), dtype=np.int32)
    features = torch.FloatTensor(content[:, 1:-1].astype(np.int32))
    scale = 1 / features.sum(dim=1)
    scale[scale == float("inf")] = 0
    features = torch.diag(scale).to_sparse() @ features
    _, labels = np.unique(content[:, -1], return_inverse=True)
    number = {paper: i for i, paper in enumerate(content[:, 0].astype(np.int32))}
    edges = np.array([[number[a], number[b]] for a, b in cites], dtype=np.int32)
    size = (len(number), len(number))
    adjacency = torch.sparse_coo_tensor(edges.T, torch.ones(len(edges)), size, dtype=torch.int64)
    return features, torch.LongTensor(labels), torch.eye(len(number)) + adjacency
