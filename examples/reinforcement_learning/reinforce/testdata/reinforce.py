# The twin of examples/reinforcement_learning/reinforce: prints the loss of each episode.
import argparse
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.distributions import Categorical

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../cartpole/testdata"))
from cartpole import CartPole

parser = argparse.ArgumentParser()
parser.add_argument("--gamma", type=float, default=0.99)
parser.add_argument("--seed", type=int, default=543)
parser.add_argument("--log-interval", type=int)
args = parser.parse_args()

env = CartPole(args.seed)
torch.manual_seed(args.seed)
affine1, dropout, affine2 = nn.Linear(4, 128), nn.Dropout(0.6), nn.Linear(128, 2)
optimizer = optim.Adam([*affine1.parameters(), *affine2.parameters()], lr=1e-2)
eps = np.finfo(np.float32).eps.item()
running = 10
while running <= env.reward_threshold:
    state, log_probs, rewards = env.reset(), [], []
    terminated = truncated = False
    while not terminated and not truncated:
        x = torch.from_numpy(state).float().unsqueeze(0)
        m = Categorical(F.softmax(affine2(F.relu(dropout(affine1(x)))), dim=1))
        action = m.sample()
        log_probs.append(m.log_prob(action))
        state, reward, terminated, truncated = env.step(action.item())
        rewards.append(reward)
    running = 0.05 * sum(rewards) + (1 - 0.05) * running
    value, returns = 0, []
    for r in reversed(rewards):
        value = r + args.gamma * value
        returns.append(value)
    returns = torch.tensor(returns[::-1])
    returns = (returns - returns.mean()) / (returns.std() + eps)
    optimizer.zero_grad()
    loss = torch.cat([-p * r for p, r in zip(log_probs, returns)]).sum()
    loss.backward()
    optimizer.step()
    print(loss.item())
