"""Muon for weight matrices and AdamW for everything else, in one optimiser."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def orthogonalised(stack: Tensor, iterations: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrices to N x rows x columns, by Newton-Schulz (Jordan et al., 2024)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = stack.shape[1] > stack.shape[2]
    x = (stack.mT if tall else stack).bfloat16()  # the singular values need only come near 1
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(iterations):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).to(stack.dtype)


class Muon(Optimizer):
    """Steps of Adam's usual size (0.2 RMS, arXiv 2502.16982), so that both kinds share one learning rate."""

    def __init__(self, module: nn.Module, *, rate: float, decay: float = 0.01) -> None:
        matrices: list[Tensor] = []
        others: list[Tensor] = []
        for name, p in module.named_parameters():
            if p.requires_grad:
                (matrices if p.ndim >= 2 and "embedding" not in name else others).append(p)
        super().__init__(
            [{"params": matrices, "muon": True}, {"params": others, "muon": False}],
            {"lr": rate, "decay": decay},
        )

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            live = [p for p in group["params"] if p.grad is not None]
            (self._matrices if group["muon"] else self._others)(live, group["lr"], group["decay"])

    def _matrices(self, parameters: Iterable[Tensor], rate: float, decay: float) -> None:
        alike: dict[tuple[int, int], list[Tensor]] = {}
        for p in parameters:
            alike.setdefault((len(p), p.numel() // len(p)), []).append(p)
        for shape, members in alike.items():
            # Layers of one shape go through Newton-Schulz together: many small products are slow.
            stack = torch.stack([self._pushed(p).reshape(shape) for p in members])
            for p, update in zip(members, orthogonalised(stack), strict=True):
                p.mul_(1 - rate * decay).add_(update.reshape(p.shape), alpha=-rate * 0.2 * max(shape) ** 0.5)

    def _pushed(self, p: Tensor) -> Tensor:
        """The gradient with Nesterov momentum."""
        assert p.grad is not None
        momentum = self.state[p].setdefault("momentum", torch.zeros_like(p))
        momentum.lerp_(p.grad, 0.05)
        return torch.lerp(p.grad, momentum, 0.95)

    def _others(self, parameters: Iterable[Tensor], rate: float, decay: float) -> None:
        for p in parameters:
            state = self.state[p]
            if not state:
                state.update(step=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
            state["step"] += 1
            state["mean"].lerp_(p.grad, 0.1)
            state["square"].lerp_(p.grad.square(), 0.02)
            mean = state["mean"] / (1 - 0.9 ** state["step"])
            root = (state["square"] / (1 - 0.98 ** state["step"])).sqrt_().add_(1e-8)
            p.mul_(1 - rate * decay).addcdiv_(mean, root, value=-rate)
