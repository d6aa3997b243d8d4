"""Each kind of weight file is told from its tensors' names and shapes, and by name where it is no use."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.checkpoints import read_checkpoint
from app.core.errors import ModelError
from app.core.kinds import V1, V2, XL, Kind, contents_of
from app.core.weights import Shape, is_pickle

FIRST = "model.diffusion_model.input_blocks.0.0.weight"
ATTENTION = "model.diffusion_model.input_blocks.{}.transformer_blocks.0.attn2.to_k.weight"
CLIP = "cond_stage_model.transformer.text_model.final_layer_norm.weight"
KOHYA = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
PEFT = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight"
OLD = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.down.weight"
SD1: dict[str, Shape] = {
    FIRST: (320, 4, 3, 3),
    ATTENTION.format("1.1"): (320, 768),
    CLIP: (768,),
    "first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3),
}

KINDS: list[tuple[dict[str, Shape], Kind, str]] = [
    (SD1, Kind.MODEL, V1),
    (SD1 | {FIRST: (320, 9, 3, 3)}, Kind.MODEL, f"{V1}, made for inpainting"),
    (SD1 | {FIRST: (320, 8, 3, 3)}, Kind.OTHER, "InstructPix2Pix"),
    (SD1 | {FIRST: (320, 7, 3, 3)}, Kind.OTHER, "an upscaler"),
    ({FIRST: (320, 4, 3, 3), ATTENTION.format("1.1"): (320, 1024)}, Kind.MODEL, V2),
    ({FIRST: (320, 4, 3, 3), "cond_stage_model.model.ln_final.weight": (1024,)}, Kind.MODEL, V2),
    ({FIRST: (320, 5, 3, 3), "cond_stage_model.model.ln_final.weight": (1024,)}, Kind.OTHER, "the depth model"),
    ({FIRST: (320, 4, 3, 3), ATTENTION.format("4.1"): (640, 2048)}, Kind.MODEL, XL),
    ({FIRST: (320, 4, 3, 3), "conditioner.embedders.1.model.ln_final.weight": (1280,)}, Kind.MODEL, XL),
    ({FIRST: (384, 4, 3, 3), "conditioner.embedders.0.model.ln_final.weight": (1280,)}, Kind.MODEL, "the refiner"),
    ({"model.diffusion_model.joint_blocks.0.context_block.attn.proj.weight": (1536, 1536)}, Kind.OTHER, "Diffusion 3"),
    ({"model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale": (128,)}, Kind.OTHER, "Flux"),
    ({"double_blocks.0.img_attn.norm.key_norm.scale": (128,)}, Kind.OTHER, "Flux"),
    ({"control_model.input_blocks.0.0.weight": (320, 4, 3, 3)}, Kind.OTHER, "a ControlNet"),
    ({KOHYA: (8, 768), KOHYA.replace("down.w", "up.w"): (320, 8)}, Kind.LORA, f"a LoRA for {V1}"),
    ({PEFT: (8, 768)}, Kind.LORA, f"a LoRA for {V1}"),
    ({OLD: (8, 768)}, Kind.LORA, f"a LoRA for {V1}"),
    ({PEFT: (8, 1024)}, Kind.LORA, f"a LoRA for {V2}"),
    ({KOHYA: (8, 2048)}, Kind.LORA, f"a LoRA for {XL}"),
    ({"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (8, 1280)}, Kind.LORA, f"a LoRA for {XL}"),
    ({"lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight": (8, 768)}, Kind.LORA, V1),
    ({"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": (8, 3072)}, Kind.LORA, "a LoRA for Flux"),
    ({"lora_unet_mid_block_x.hada_w1_a": (8, 8)}, Kind.OTHER, "LyCORIS"),
    ({"lora_unet_mid_block_x.lokr_w1": (8, 8)}, Kind.OTHER, "LyCORIS"),
    ({"emb_params": (4, 768)}, Kind.EMBEDDING, f"an embedding for {V1}"),
    ({"<cat-toy>": (768,)}, Kind.EMBEDDING, f"an embedding for {V1}"),
    ({"emb_params": (4, 1024)}, Kind.EMBEDDING, f"an embedding for {V2}"),
    ({"clip_l": (4, 768), "clip_g": (4, 1280)}, Kind.EMBEDDING, f"an embedding for {XL}"),
    ({"decoder.conv_in.weight": (512, 4, 3, 3), "encoder.conv_in.weight": (128, 3, 3, 3)}, Kind.VAE, "a VAE"),
    ({"first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3)}, Kind.VAE, "a VAE"),
    ({"decoder.layers.0.weight": (64, 4, 3, 3), "encoder.layers.0.weight": (64, 3, 3, 3)}, Kind.VAE, "a small VAE"),
    ({"decoder.conv_in.weight": (512, 16, 3, 3)}, Kind.OTHER, "a VAE of 16 channels"),
    ({"decoder.conv_in.weight": (512, 16, 3, 3, 3)}, Kind.OTHER, "the VAE of a video model"),
    ({"down_blocks.0.resnets.0.conv1.weight": (320, 320, 3, 3)}, Kind.OTHER, "the UNet of a model folder"),
    ({"text_model.embeddings.token_embedding.weight": (49408, 768)}, Kind.OTHER, "a text encoder"),
    ({"a": (2,), "b": (3, 3)}, Kind.OTHER, "does not know"),
    ({}, Kind.OTHER, "does not know"),
]


@pytest.mark.parametrize(("shapes", "kind", "words"), KINDS, ids=[f"{kind.name}-{words}" for _, kind, words in KINDS])
def test_what_a_file_is(shapes: dict[str, Shape], kind: Kind, words: str) -> None:
    contents = contents_of(shapes)
    assert contents.kind is kind
    assert words in contents.what


@pytest.mark.parametrize(
    ("shapes", "words", "remedy"),
    [
        ({FIRST: (320, 4, 3, 3), ATTENTION.format("4.1"): (640, 2048)}, f"“x” is {XL}, not {V1}.", "v1 model"),
        ({KOHYA: (8, 768)}, f"“x” is a LoRA for {V1}, not a model.", "as a LoRA"),
        ({"emb_params": (1, 768)}, f"“x” is an embedding for {V1}, not a model.", "as an embedding"),
        ({"decoder.conv_in.weight": (8, 4, 3, 3)}, "“x” is a VAE, not a model.", "as its VAE"),
        ({"double_blocks.0.img_attn.weight": (8, 8)}, f"“x” is Flux, not {V1}.", "v1 model"),
    ],
)
def test_what_is_no_model_is_refused_by_name(shapes: dict[str, Shape], words: str, remedy: str, tmp_path: Path) -> None:
    header, at = {}, 0
    for name, shape in shapes.items():
        end = at + 2 * math.prod(shape)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    (tmp_path / "x").write_bytes(struct.pack("<Q", len(text)) + text + bytes(at))
    with pytest.raises(ModelError) as caught:
        read_checkpoint(tmp_path / "x")
    assert caught.value.message == words
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "pickled"),
    [
        ("a.ckpt", b"PK\x03\x04rest", True),
        ("a.safetensors", b"PK\x03\x04rest", True),
        ("a.safetensors", b"\x80\x04\x95", True),
        ("a.pt", b"(dp0\nI0\n.", True),
        ("a.ckpt", b"<html>", False),
        ("a.ckpt", b"version https://git-lfs", False),
        ("a.ckpt", b"", False),
        ("a.ckpt", b"\x40\x00\x00\x00\x00\x00\x00\x00{", False),
        ("a.safetensors", b"\x40\x00\x00\x00\x00\x00\x00\x00{", False),
    ],
)
def test_a_pickle_is_known_by_its_first_bytes(name: str, content: bytes, pickled: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_pickle(tmp_path / name) is pickled
    assert not is_pickle(tmp_path / "none.ckpt")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    start=st.sampled_from([b"", b"\x08\x00\x00\x00\x00\x00\x00\x00", b"\xff" * 8, b"PK\x03\x04", b"\x80\x02"]),
    rest=st.binary(max_size=80) | st.text(alphabet='{}[]":,0123456789adehpst_F ', max_size=80).map(str.encode),
)
def test_no_bytes_whatsoever_are_a_crash(start: bytes, rest: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    file.write_bytes(start + rest)
    is_pickle(file)
    with pytest.raises(ModelError):
        read_checkpoint(file)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    header=st.dictionaries(
        st.sampled_from([FIRST, CLIP, KOHYA, "emb_params", "__metadata__", "decoder.conv_in.weight"]),
        VALUES
        | st.fixed_dictionaries({"dtype": VALUES | st.just("F16"), "shape": VALUES, "data_offsets": VALUES})
        | st.fixed_dictionaries({"dtype": st.just("F16"), "shape": st.just([2]), "data_offsets": st.just([0, 4])}),
    )
)
def test_no_header_whatsoever_is_a_crash(header: object, tmp_path: Path) -> None:
    text = json.dumps(header).encode()
    file = tmp_path / "x.safetensors"
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    with pytest.raises(ModelError):
        read_checkpoint(file)
