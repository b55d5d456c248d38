# The twin of examples/reinforcement_learning/actor_critic: prints the loss of each episode.
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
affine1, action_head, value_head = nn.Linear(4, 128), nn.Linear(128, 2), nn.Linear(128, 1)
optimizer = optim.Adam([p for m in (affine1, action_head, value_head) for p in m.parameters()], lr=3e-2)
eps = np.finfo(np.float32).eps.item()
running = 10
while running <= env.reward_threshold:
    state, saved, rewards = env.reset(), [], []
    terminated = truncated = False
    while not terminated and not truncated:
        x = F.relu(affine1(torch.from_numpy(state).float()))
        m = Categorical(F.softmax(action_head(x), dim=-1))
        value = value_head(x)
        action = m.sample()
        saved.append((m.log_prob(action), value))
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
    policy_losses = [-p * (r - v.item()) for (p, v), r in zip(saved, returns)]
    value_losses = [F.smooth_l1_loss(v, torch.tensor([r])) for (_, v), r in zip(saved, returns)]
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    optimizer.step()
    print(loss.item())
