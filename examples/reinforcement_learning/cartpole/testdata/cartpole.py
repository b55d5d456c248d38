# The equations of gymnasium's CartPole-v1, and its draws.
import numpy as np


class CartPole:
    reward_threshold = 475.0

    def __init__(self, seed):
        self.np_random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
        self.reset()

    def reset(self):
        self.state = self.np_random.uniform(low=-0.05, high=0.05, size=(4,))
        self.steps = 0
        return self.state.astype(np.float32)

    def step(self, action):
        x, v, theta, omega = self.state
        force = 10.0 if action == 1 else -10.0
        cos, sin = np.cos(theta), np.sin(theta)
        mass, pole = 1.1, 0.1 * 0.5
        temp = (force + pole * np.square(omega) * sin) / mass
        alpha = (9.8 * sin - cos * temp) / (0.5 * (4.0 / 3.0 - 0.1 * np.square(cos) / mass))
        a = temp - pole * alpha * cos / mass
        self.state = np.array([x + 0.02 * v, v + 0.02 * a, theta + 0.02 * omega, omega + 0.02 * alpha])
        self.steps += 1
        x, _, theta, _ = self.state
        limit = 12 * 2 * np.pi / 360
        terminated = bool(x < -2.4 or x > 2.4 or theta < -limit or theta > limit)
        return self.state.astype(np.float32), 1.0, terminated, self.steps >= 500
