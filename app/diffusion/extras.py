"""What a Request adds to a loaded model: LoRAs, another VAE, embeddings. The model itself is never loaded again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import torch

from app.core.additions import EmbeddingUse, LoraUse
from app.core.checkpoints import read_config, usual_config
from app.core.errors import ModelError, is_out_of_memory
from app.core.kinds import V1, VAE, Kind, contents_of
from app.core.layout import same_shape, vae_layout
from app.core.request import Request
from app.core.weights import Shape, read_header
from app.diffusion.bundle import ModelBundle
from app.diffusion.folder import VAE_CLASSES, load_network
from app.diffusion.loading import checked, short
from app.diffusion.lora import Lora, put_on, read_lora
from app.diffusion.preview import preview_map_for
from app.diffusion.quick import quicken_vae
from app.diffusion.single_file import load_vae_file, read_weights
from app.diffusion.texts import Embeddings

_Stamp = tuple[str, int, int]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The bundle as a Request wants it, its embeddings by word, and notes on what did not fit."""

    bundle: ModelBundle
    embeddings: Embeddings
    notes: tuple[str, ...]


class Extras:
    """Fits one bundle to Requests; keeps what the last one added, so that the next with the same costs nothing.

    Invariant: the bundle's networks carry exactly the LoRAs in ``_worn``, and none where putting them on failed.
    """

    def __init__(self, bundle: ModelBundle) -> None:
        self._bundle = bundle
        self._worn: tuple[tuple[_Stamp, float], ...] = ()
        self._loras: dict[_Stamp, Lora] = {}
        self._vaes: dict[_Stamp, Any] = {}
        self._vectors: dict[_Stamp, torch.Tensor] = {}

    def fit(self, request: Request) -> Fitted:
        """Raises ModelError naming the file that cannot be used; the model is then as it was loaded."""
        loras = self._read_loras(request.loras)
        bundle = self._with_vae(request.vae)
        embeddings = self._read_embeddings(request.embeddings)
        self._wear(loras)
        bundle = replace(bundle, worn=(self._worn, request.vae and _stamp(request.vae, "VAE")))
        notes = tuple(lora.note for lora, _, _ in loras if lora.note)
        return Fitted(bundle=bundle, embeddings=embeddings, notes=notes)

    def _read_loras(self, uses: tuple[LoraUse, ...]) -> list[tuple[Lora, LoraUse, _Stamp]]:
        known, self._loras = self._loras, {}
        found = []
        for use in uses:
            if use.weight == 0:
                continue
            stamp = _stamp(use.file, "LoRA")
            self._loras[stamp] = known.get(stamp) or read_lora(Path(use.file), self._bundle)
            found.append((self._loras[stamp], use, stamp))
        return found

    def _wear(self, loras: list[tuple[Lora, LoraUse, _Stamp]]) -> None:
        wanted = tuple((stamp, use.weight) for _, use, stamp in loras)
        if wanted == self._worn:
            return
        self._worn = ()
        try:
            put_on(self._bundle, [(lora, use) for lora, use, _ in loras])
        except Exception as error:
            if isinstance(error, ModelError) or is_out_of_memory(error):
                raise
            names = ", ".join(f"“{use.name}”" for _, use, _ in loras)
            raise ModelError(f"The LoRA {names} cannot be used ({short(error)}).", f"Choose one for {V1}.") from error
        self._worn = wanted

    def _with_vae(self, file: str) -> ModelBundle:
        if not file:
            self._vaes.clear()
            return self._bundle
        stamp = _stamp(file, "VAE")
        vae = self._vaes.get(stamp)
        if vae is None:
            self._vaes.clear()
            vae = self._vaes[stamp] = load_vae(Path(file), self._bundle)
            if self._bundle.shares:
                quicken_vae(vae, self._bundle.placement)
        return replace(self._bundle, vae=vae, preview=preview_map_for(vae, None))

    def _read_embeddings(self, uses: tuple[EmbeddingUse, ...]) -> Embeddings:
        known, self._vectors = self._vectors, {}
        found = {}
        for use in uses:
            stamp = _stamp(use.file, "embedding")
            vectors = known.get(stamp)
            self._vectors[stamp] = found[use.word] = load_embedding(Path(use.file)) if vectors is None else vectors
        return found


def _stamp(file: str, kind: str) -> _Stamp:
    """Tells a file from another, and from itself after it was replaced."""
    path = Path(file)
    try:
        facts = path.stat()
        return str(path.absolute()), facts.st_size, facts.st_mtime_ns
    except (OSError, ValueError) as error:
        raise ModelError(f"There is no {kind} “{file}”.", "Check its name, or whether it was moved.") from error


# Embeddings


def load_embedding(file: Path) -> torch.Tensor:
    """A textual inversion (arXiv 2208.01618), n x width. Raises ModelError."""
    contents = contents_of(read_header(file).shapes)
    if contents.kind is not Kind.EMBEDDING or contents.family != V1:
        raise ModelError(f"“{file.name}” is {contents.what}, not an embedding for {V1}.", "Choose another file.")
    try:
        weights = read_weights(file)
    except ValueError as error:
        raise ModelError(f"The embedding “{file.stem}” is damaged: {short(error)}.", "Download it again.") from error
    if len(weights) != 1:
        raise ModelError(
            f"“{file.name}” is an embedding of {len(weights)} words; Limner takes one.", "Choose another file."
        )
    vectors = next(iter(weights.values())).float()
    return vectors[None] if vectors.ndim == 1 else vectors


# VAE


def load_vae(path: Path, bundle: ModelBundle) -> Any:
    """A VAE that stands in for the bundle's own: a file, or a folder in diffusers layout. Raises ModelError."""
    name = path.stem if path.is_file() else path.name
    read: Callable[[], Any] = (lambda: _vae_file(path)) if path.is_file() else (lambda: _vae_folder(path))
    try:
        vae = read()
    except ModelError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(f"The VAE “{name}” cannot be read ({short(error)}).", "Download it again.") from error
    _check_vae(vae, bundle, name)
    return vae.to(bundle.placement.device).eval().requires_grad_(False)


def _vae_folder(folder: Path) -> Any:
    inner = folder / "vae"
    folder = inner if (inner / "config.json").is_file() else folder
    if not (folder / "config.json").is_file():
        raise ModelError(f"“{folder.name}” is no VAE: it has no config.json.", "Choose a VAE file, or its folder.")
    kind = read_config(folder / "config.json").get("_class_name", "AutoencoderKL")
    if kind not in VAE_CLASSES:
        raise ModelError(f"“{folder.name}” is a {kind}, which Limner does not know.", f"Choose a VAE for {V1}.")
    return load_network(VAE_CLASSES[kind], folder, torch.float32)


def _vae_file(file: Path) -> Any:
    shapes = read_header(file).shapes
    contents = contents_of(shapes)
    whole_model = contents.kind is Kind.MODEL and contents.family == V1  # it has one in it
    if contents.kind is not Kind.VAE and not whole_model:
        raise ModelError(f"“{file.name}” is {contents.what}, not a VAE.", f"Choose a VAE for {V1}.")
    if "decoder.layers.0.weight" in shapes:
        small = diffusers.AutoencoderTiny()
        small.load_state_dict(read_weights(file))
        return checked(small)
    beginning = next((prefix for prefix in (VAE, "vae.") if any(name.startswith(prefix) for name in shapes)), "")
    return load_vae_file(file, beginning, _vae_config(file, beginning, shapes))


def _vae_config(file: Path, beginning: str, shapes: Mapping[str, Shape]) -> Path:
    """A folder with ``vae/config.json``: the file's own where it fits, else Limner's."""
    own = file.parent / "vae" / "config.json"
    try:
        layout = vae_layout(read_config(own), beginning)
    except (OSError, ValueError, KeyError, TypeError):
        return usual_config()
    fits = all(same_shape(shapes.get(name, shape), shape) for name, shape in layout.items())
    return file.parent if fits else usual_config()


def _check_vae(vae: Any, bundle: ModelBundle, name: str) -> None:
    factor, channels = 2 ** (len(vae.config.block_out_channels) - 1), int(vae.config.latent_channels)
    if (factor, channels) != (bundle.factor, bundle.channels):
        raise ModelError(
            f"The VAE “{name}” does not fit this model: it has {channels} channels of {factor} pixels, "
            f"the model {bundle.channels} of {bundle.factor}.",
            f"Choose a VAE for {V1}.",
        )
    scales = [part.config.scaling_factor for part in (vae, bundle.vae) if isinstance(part, diffusers.AutoencoderKL)]
    if len(scales) == 2 and abs(scales[0] - scales[1]) > 0.01 * scales[1]:
        raise ModelError(
            f"The VAE “{name}” was made for another kind of model: its latents are scaled by {scales[0]:g}, "
            f"this model's by {scales[1]:g}.",
            f"Choose a VAE for {V1}.",
        )
