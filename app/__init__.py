"""Limner: a desktop studio for painting with Stable Diffusion v1 on your own machine."""

__version__ = "0.1.0"
