"""The text inside a saved picture that says how it was made, in the form that other programs read."""

from __future__ import annotations

import json

from app.core.job import Result
from app.core.request import ImageToImage, Inpaint
from app.core.samplers import sampler

KEY = "parameters"
"""The PNG text chunk that Stable Diffusion WebUI writes and most programs look for."""


def parameters(result: Result) -> str:
    """Prompt, negative prompt and one line of settings. It names the model but no path: pictures are given away."""
    request = result.request
    lines = [request.prompt]
    if request.negative:
        lines.append(f"Negative prompt: {request.negative}")
    fields = {
        "Steps": request.steps,
        "Sampler": sampler(request.sampler).label,
        "CFG scale": f"{request.guidance:g}",
        "Seed": request.seed,
        "Size": f"{request.size.width}x{request.size.height}",
        "Model": result.model_name,
    }
    if isinstance(request.task, ImageToImage | Inpaint):
        fields["Denoising strength"] = f"{request.task.strength:g}"
    if request.clip_skip > 1:
        fields["Clip skip"] = str(request.clip_skip)
    lines.append(", ".join(f"{name}: {_quoted(str(value))}" for name, value in fields.items()))
    return "\n".join(lines)


def _quoted(value: str) -> str:
    """Values holding a separator are written as JSON strings, as WebUI does."""
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ",:\n") else value
