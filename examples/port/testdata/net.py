"""The network to port, and what it computes for an input."""
import pathlib
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2)
        self.head = nn.Linear(100, 10)

    def forward(self, x):  # [N, 1, 12, 12] -> [N, 10]
        x = self.conv(x).relu()
        return self.head(x.flatten(1)).log_softmax(1)


torch.manual_seed(0)
net = Net().eval()

if __name__ == "__main__":
    x = torch.randn(2, 1, 12, 12)
    with torch.no_grad():
        y = net(x)
    torch.save({"weights": net.state_dict(), "input": x, "output": y}, pathlib.Path(__file__).with_name("net.pt"))
