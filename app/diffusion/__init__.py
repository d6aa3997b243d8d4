"""The engine: Stable Diffusion v1 loops on torch, diffusers and transformers; no Qt."""
