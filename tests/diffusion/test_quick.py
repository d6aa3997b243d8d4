"""The quick ways: the same numbers as stock up to rounding, on trained weights too, and nothing lost by them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.models.activations import GEGLU
from diffusers.models.attention_processor import SlicedAttnProcessor
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from app.core.additions import LoraUse
from app.core.errors import Cancelled
from app.core.geometry import Size
from app.core.request import ImageToImage, Inpaint, Request
from app.core.seam import Seam
from app.core.settings import resources
from app.diffusion import quick, winograd
from app.diffusion.blocks import QuickGeglu, QuickResnet, quicken_blocks
from app.diffusion.bundle import ModelBundle, load_bundle
from app.diffusion.engine import Engine
from app.diffusion.kept import Kept
from app.diffusion.lora import put_on, read_lora, take_off
from app.diffusion.packed import (
    PackedConv,
    PackedLinear,
    PointConv,
    SmallWinogradConv,
    WinogradConv,
    pack_network,
    usable,
)
from app.diffusion.placement import Placement
from app.diffusion.thrift import Thrift, applied
from app.diffusion.unet_pass import DRAFT, SharedPass, is_plain
from app.diffusion.winograd import LARGE, SMALL, Filter
from tests.engine_tools import RecordingHooks, aligned_mask, final_latents, request_for, some_picture
from tests.loras import kohya, random_pairs, write
from tests.tiny_models import TinyShape, make_tiny_model

CPU = Placement(torch.device("cpu"), torch.float32)
STARTER = resources() / "models" / "starter"
needs_onednn = pytest.mark.skipif(not usable(), reason="this build of torch has no oneDNN")


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def starter() -> ModelBundle:
    return load_bundle(STARTER, CPU)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("quick") / "tiny")


def random(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """Relative, over all numbers."""
    return float((one - other).norm() / other.norm())


# Layers


@needs_onednn
@pytest.mark.parametrize(("most_extra", "small_from"), [(0.0, None), (9.0, None), (9.0, 0)])
@pytest.mark.parametrize("size", [(16, 16), (17, 13), (1, 2), (40, 3)])
@pytest.mark.parametrize(("side", "stride", "padding"), [(3, 1, 1), (3, 2, 1), (3, 2, 0), (1, 1, 0)])
def test_a_convolution_is_what_it_was(
    most_extra: float, small_from: int | None, size: tuple[int, int], side: int, stride: int, padding: int
) -> None:
    if padding == 0 and min(size) < side:
        return
    torch.manual_seed(0)
    stock = nn.Sequential(nn.Conv2d(64, 96, side, stride=stride, padding=padding)).requires_grad_(False)
    packed = copy.deepcopy(stock)
    pack_network(packed, most_extra, small_from)
    winograd = WinogradConv if small_from is None else SmallWinogradConv
    suits = (side, stride) == (3, 1)
    assert type(packed[0]) is (winograd if most_extra and suits else PointConv if side == 1 else PackedConv)
    for count in (1, 3):
        x = random(count, 64, *size)
        assert apart(packed(x), stock(x)) < 1e-5


@pytest.mark.parametrize("by", [LARGE, SMALL])
@pytest.mark.parametrize(("strip", "chunk"), [(1, 1), (400_000, 3000), (9_000_000, 40_000)])
@pytest.mark.parametrize("bias", [True, False])
def test_however_it_is_cut_a_convolution_is_the_same(
    by: Filter, strip: int, chunk: int, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In rows of tiles, in some rows of a picture, in several pictures; what an earlier one left behind is not seen."""
    if not usable():
        pytest.skip("this build of torch has no oneDNN")
    monkeypatch.setattr(winograd, "STRIP", strip)
    monkeypatch.setattr(winograd, "_CHUNK", chunk)
    scratch = winograd.Scratch()
    weight, biases = random(40, 32, 3, 3, seed=2), random(40, seed=3) if bias else None
    packed = [winograd.pack(matrix, 64) for matrix in winograd.transformed(weight, by, scratch)]
    for count, height, width in ((1, 33, 18), (5, 9, 21), (2, 16, 16)):
        x = random(count, 32, height, width).contiguous(memory_format=torch.channels_last)
        made = winograd.convolved(x, packed, 40, biases, by, scratch)
        theirs = nn.functional.conv2d(
            x.double(), weight.double(), None if biases is None else biases.double(), padding=1
        )
        assert apart(made, theirs.float()) < 3e-6
        assert made.stride(1) == 1  # channels last


@needs_onednn
def test_layers_that_packing_does_not_suit_stay(starter: ModelBundle) -> None:
    layers = nn.Sequential(nn.Conv2d(4, 64, 3), nn.Conv2d(64, 64, 3, groups=64), nn.Linear(64, 4), nn.GroupNorm(4, 64))
    kinds = [type(layer) for layer in layers]
    pack_network(layers, 9)
    assert [type(layer) for layer in layers] == kinds


@needs_onednn
def test_without_extra_memory_there_is_none(starter: ModelBundle) -> None:
    unet = copy.deepcopy(starter.unet)
    pack_network(unet, 0)
    layers = [layer for layer in unet.modules() if isinstance(layer, PackedConv | PackedLinear)]
    assert len(layers) > 40
    for layer in layers:  # the plain weights are let go: a shape is left, and a number that shows in every use
        assert layer.weight.untyped_storage().nbytes() == 4
        assert layer.weight.isnan().all()
    assert not any(isinstance(layer, WinogradConv) for layer in unet.modules())


@needs_onednn
@pytest.mark.parametrize("bias", [True, False])
def test_a_gate_is_what_it_was(bias: bool) -> None:
    torch.manual_seed(0)
    stock = nn.Sequential(GEGLU(64, 96, bias=bias)).requires_grad_(False)
    quickened = copy.deepcopy(stock)
    pack_network(quickened, 0)
    x = random(2, 5, 64)
    assert apart(quickened(x), stock(x)) < 1e-6  # whoever calls the layer itself gets both halves
    quicken_blocks(quickened)
    assert type(quickened[0]) is QuickGeglu
    assert apart(quickened(x), stock(x)) < 1e-6


@pytest.mark.parametrize("time", [None, 48])
@pytest.mark.parametrize("outputs", [64, 96])
def test_a_residual_block_is_what_it_was(time: int | None, outputs: int) -> None:
    torch.manual_seed(0)
    block = ResnetBlock2D(in_channels=64, out_channels=outputs, temb_channels=time, groups=8).eval()
    stock = nn.Sequential(block).requires_grad_(False)
    quickened = copy.deepcopy(stock)
    quicken_blocks(quickened)
    assert type(quickened[0]) is QuickResnet
    x, times = random(2, 64, 9, 8), random(1, time) if time else None
    before = x.clone(), times if times is None else times.clone()
    assert apart(quickened[0](x, times), stock[0](x, times)) < 1e-6
    assert torch.equal(x, before[0])  # in place is only what the block has made itself
    assert times is None or torch.equal(times, before[1])


def test_other_residual_blocks_stay() -> None:
    for more in ({"up": True}, {"down": True}, {"time_embedding_norm": "scale_shift"}, {"output_scale_factor": 2.0}):
        block = nn.Sequential(ResnetBlock2D(in_channels=64, temb_channels=48, **more))
        quicken_blocks(block)
        assert type(block[0]) is ResnetBlock2D


@needs_onednn
def test_the_largest_pictures_come_first(starter: ModelBundle) -> None:
    unet = copy.deepcopy(starter.unet)
    pack_network(unet, 9, 1)
    level = [type(unet.get_submodule(f"down_blocks.{number}.resnets.0.conv2")) for number in (0, 1)]
    assert level == [WinogradConv, SmallWinogradConv]
    unet = copy.deepcopy(starter.unet)
    pack_network(unet, 0.3)
    chosen = {path for path, layer in unet.named_modules() if isinstance(layer, WinogradConv)}
    assert "down_blocks.0.resnets.0.conv1" in chosen
    assert "up_blocks.2.resnets.1.conv2" in chosen
    assert "mid_block.resnets.0.conv1" not in chosen


# Networks with trained weights


@needs_onednn
@pytest.mark.parametrize(("most_extra", "small_from"), [(0.0, None), (9.0, None), (9.0, 1)])
@pytest.mark.parametrize("folder", ["starter", "starter-inpaint"])
def test_trained_networks_answer_within_a_ten_thousandth(
    folder: str, most_extra: float, small_from: int | None
) -> None:
    stock = load_bundle(STARTER.with_name(folder), CPU)
    packed = load_bundle(STARTER.with_name(folder), CPU)
    for network in (packed.unet, packed.vae, packed.text_encoder):
        pack_network(network, most_extra, small_from)
        quicken_blocks(network)
    texts = random(2, 77, stock.unet.config.cross_attention_dim)
    for height, width in ((16, 16), (24, 18)):
        x, t = random(1, stock.unet.config.in_channels, height, width), torch.tensor(501)
        theirs = stock.unet(torch.cat([x, x]), t, encoder_hidden_states=texts, return_dict=False)[0]
        assert apart(SharedPass(packed.unet).predict(x, t, texts), theirs) < 1e-4
        latents = random(1, 4, height, width)
        pictures = [one.vae.decode(latents, return_dict=False)[0] for one in (packed, stock)]
        assert apart(*pictures) < 1e-4
        sources = [one.vae.encode(pictures[1].clamp(-1, 1)).latents for one in (packed, stock)]
        assert apart(*sources) < 1e-4
    ids = torch.tensor([[49406, 320, 736, 49407]]) % stock.text_encoder.config.vocab_size
    assert apart(packed.text_encoder(ids)[0], stock.text_encoder(ids)[0]) < 1e-4


def picture_request(**changes: Any) -> Request:
    return request_for(STARTER, size=Size(128, 96), steps=6, **changes)


@needs_onednn
def test_the_quick_picture_is_the_exact_one() -> None:
    """To within a shade in nearly all pixels; and the same again, bit for bit."""
    engine = Engine(CPU)
    task = ImageToImage(image=some_picture(Size(128, 96)), strength=0.7)
    for request in (picture_request(), picture_request(task=task, guidance=1.0)):
        exact = Engine(CPU, prepare=lambda bundle: bundle).run(request, RecordingHooks()).image
        ours = engine.run(request, RecordingHooks()).image
        assert any(isinstance(layer, PackedConv) for layer in engine._bundle.unet.modules())  # type: ignore[union-attr]
        assert (np.abs(ours.astype(int) - exact) <= 1).mean() > 0.999
        np.testing.assert_array_equal(engine.run(request, RecordingHooks()).image, ours)


def test_what_is_small_or_short_of_memory(starter: ModelBundle, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = load_bundle(tiny, CPU)
    kinds = [type(layer) for layer in small.unet.modules()]
    assert quick.quickened(small) is small
    assert [type(layer) for layer in small.unet.modules()] == kinds
    monkeypatch.setattr(quick, "SMALL", 0)
    for free, expected in ((2**40, usable()), (2**20, False)):
        monkeypatch.setattr(quick, "free_memory", lambda device, free=free: free)
        unet = copy.deepcopy(starter.unet)
        quick.quicken_network(unet, CPU, 0.5)
        assert any(isinstance(layer, WinogradConv) for layer in unet.modules()) is expected
    half = copy.deepcopy(starter.unet)
    quick.quicken_network(half, Placement(torch.device("cpu"), torch.bfloat16), 0.5)
    assert not any(isinstance(layer, PackedConv) for layer in half.modules())


@needs_onednn
def test_loras_act_on_packed_layers_and_leave_no_trace(starter: ModelBundle, tmp_path: Path) -> None:
    file = write(tmp_path / "style.safetensors", kohya(random_pairs(STARTER, strength=0.1)))
    use = LoraUse(file=str(file), weight=0.7)
    packed = load_bundle(STARTER, CPU)
    pack_network(packed.unet, 9.0)
    quicken_blocks(packed.unet)
    pack_network(packed.text_encoder, 0)

    def answer(bundle: ModelBundle) -> torch.Tensor:
        texts = bundle.text_encoder(torch.tensor([[1, 5, 6, 7]]))[0]
        return bundle.unet(random(1, 4, 16, 16), torch.tensor(500), encoder_hidden_states=texts, return_dict=False)[0]

    plain = answer(packed)
    answers = []
    for bundle in (packed, load_bundle(STARTER, CPU)):
        put_on(bundle, [(read_lora(file, bundle), use)])
        answers.append(answer(bundle))
    assert apart(*answers) < 1e-4
    assert apart(answers[0], plain) > 1e-2
    take_off(packed)
    assert torch.equal(answer(packed), plain)


@needs_onednn
@pytest.mark.parametrize("rung", [Thrift(passes=True), Thrift(passes=True, sliced=True)])
def test_less_memory_paints_the_same(rung: Thrift) -> None:
    bundle = quick.quickened(load_bundle(STARTER, CPU))
    request = picture_request()
    before = final_latents(bundle, request)[0]
    with applied(bundle, rung) as working:
        assert not working.shares
        torch.testing.assert_close(final_latents(working, request)[0], before, rtol=1e-3, atol=1e-3)


def test_a_cancel_is_heard_in_every_block() -> None:
    class Stops(RecordingHooks):
        asked = 0

        def cancelled(self) -> bool:
            self.asked += 1
            return self.asked > 60

    hooks = Stops()
    with pytest.raises(Cancelled):
        Engine(CPU).run(picture_request(), hooks)
    assert hooks.asked == 61
    assert len(hooks.steps) <= 1


def test_on_a_card_both_networks_stand_channels_last_and_the_vae_is_in_half(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "TINY", 0)
    card = Placement(torch.device("cuda"), torch.float16)
    bundle = quick.quickened(replace(load_bundle(tiny, CPU), placement=card))
    other = load_bundle(make_tiny_model(tmp_path / "other", TinyShape(seed=5)), CPU).vae
    quick.quicken_vae(other, card)
    for network in (bundle.unet, bundle.vae, other):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                assert layer.weight.is_contiguous(memory_format=torch.channels_last)
    assert bundle.vae.dtype == other.dtype == torch.float16
    assert bundle.shares


# The pass


@pytest.mark.parametrize("candidates", [1, 3])
@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("size", [(8, 8), (7, 10)])
def test_the_shared_pass_is_the_whole_one(tiny: Path, candidates: int, copies: int, size: tuple[int, int]) -> None:
    unet = load_bundle(tiny, CPU).unet
    assert is_plain(unet)
    x, t, texts = random(candidates, 4, *size), torch.tensor(321), random(candidates * copies, 24, 32)
    theirs = unet(x.repeat_interleave(copies, 0), t, encoder_hidden_states=texts, return_dict=False)[0]
    torch.testing.assert_close(SharedPass(unet).predict(x, t, texts), theirs, rtol=1e-4, atol=1e-5)


def test_until_the_first_text_there_is_one_row(tiny: Path) -> None:
    unet = load_bundle(tiny, CPU).unet
    rows: dict[str, int] = {}
    for name in ("conv_in", "down_blocks.0.resnets.0", "down_blocks.0.attentions.0.transformer_blocks.0.attn1",
                 "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_q", "mid_block.resnets.0"):  # fmt: skip
        layer = unet.get_submodule(name)
        layer.register_forward_pre_hook(lambda module, inputs, name=name: rows.update({name: len(inputs[0])}))
    SharedPass(unet).predict(random(1, 4, 8, 8), torch.tensor(5), random(2, 24, 32))
    assert list(rows.values()) == [1, 1, 1, 2, 2]


def test_what_is_heard_in_the_texts_is_computed_once(tiny: Path) -> None:
    unet = load_bundle(tiny, CPU).unet
    heard: list[int] = []
    attention = unet.mid_block.attentions[0].transformer_blocks[0].attn2
    attention.to_k.register_forward_hook(lambda *_: heard.append(1))
    shared, x, texts = SharedPass(unet), random(1, 4, 8, 8), random(2, 24, 32)
    for step in (500, 400):
        made = shared.predict(x, torch.tensor(step), texts)
    assert heard == [1]
    assert torch.equal(made, SharedPass(unet).predict(x, torch.tensor(400), texts))
    for other in (texts[1:], texts[:1], random(2, 24, 32, seed=9), texts):
        t = torch.tensor(300)
        assert torch.equal(shared.predict(x, t, other), SharedPass(unet).predict(x, t, other))
    attention.set_processor(SlicedAttnProcessor(1))  # an attention that works in another way is left to it
    theirs = unet(torch.cat([x, x]), t, encoder_hidden_states=texts, return_dict=False)[0]
    torch.testing.assert_close(SharedPass(unet).predict(x, t, texts), theirs, rtol=1e-4, atol=1e-5)


def test_a_run_hears_its_texts_once(tiny: Path) -> None:
    engine = Engine(CPU, prepare=lambda bundle: replace(bundle, shares=True))
    engine.run(request_for(tiny, steps=1), RecordingHooks())
    attention = engine._bundle.unet.mid_block.attentions[0].transformer_blocks[0].attn2  # type: ignore[union-attr]
    heard: list[int] = []
    attention.to_k.register_forward_hook(lambda *_: heard.append(1))
    hooks = RecordingHooks()
    engine.run(request_for(tiny, steps=4), hooks)
    assert (len(hooks.steps), heard) == (4, [1])


def test_a_unet_of_another_kind_is_called_as_it_is(tiny: Path) -> None:
    unet = load_bundle(tiny, CPU).unet
    for other in ({"class_embed_type": "timestep"}, {"dual_cross_attention": True}, {"addition_embed_type": "text"}):
        changed = copy.copy(unet)
        changed._internal_dict = diffusers.configuration_utils.FrozenDict({**unet.config, **other})
        assert not is_plain(changed)
    with applied(load_bundle(tiny, CPU), Thrift(passes=True)) as working:
        assert not is_plain(working.unet)


# Drafts


def test_a_draft_computes_the_deep_part_at_every_third_step(tiny: Path) -> None:
    engine = Engine(CPU)
    request = request_for(tiny, steps=7, sampler="ddim")
    full = engine.run(request, RecordingHooks()).image
    deep: list[int] = []
    handle = engine._bundle.unet.mid_block.resnets[0].register_forward_hook(  # type: ignore[union-attr]
        lambda *_: deep.append(1)
    )
    hooks = RecordingHooks()
    draft = engine.run(replace(request, draft=True), hooks).image
    assert len(hooks.steps) == 7
    assert len(deep) == -(-7 // DRAFT)
    assert (draft != full).any()
    np.testing.assert_array_equal(engine.run(replace(request, draft=True), RecordingHooks()).image, draft)
    handle.remove()
    np.testing.assert_array_equal(engine.run(request, RecordingHooks()).image, full)


def test_a_draft_whose_guidance_ends_starts_its_deep_part_anew(tiny: Path) -> None:
    unet = load_bundle(tiny, CPU).unet
    once = SharedPass(unet, every=9)
    x, texts = random(1, 4, 8, 8), random(2, 24, 32)
    once.predict(x, torch.tensor(500), texts)
    alone = once.predict(x, torch.tensor(400), texts[1:])
    assert torch.equal(alone, SharedPass(unet).predict(x, torch.tensor(400), texts[1:]))


# Kept between runs


def test_texts_and_sources_are_not_computed_again(tiny: Path) -> None:
    engine, size = Engine(CPU), Size(64, 48)
    request = request_for(tiny, steps=1, task=ImageToImage(image=some_picture(size), strength=1.0))
    first = engine.run(request, RecordingHooks()).image
    bundle = engine._bundle
    assert bundle is not None
    texts: list[int] = []
    sources: list[int] = []
    bundle.text_encoder.register_forward_hook(lambda *_: texts.append(1))
    bundle.vae.encoder.register_forward_hook(lambda *_: sources.append(1))
    again = engine.run(replace(request, seed=8), RecordingHooks()).image
    assert (texts, sources) == ([], [])
    assert (again != first).any()
    np.testing.assert_array_equal(engine.run(request, RecordingHooks()).image, first)
    engine.run(replace(request, prompt="a lake"), RecordingHooks())
    assert (len(texts), sources) == (2, [])
    other = ImageToImage(image=some_picture(size, seed=5), strength=1.0)
    engine.run(replace(request, task=other), RecordingHooks())
    assert (len(texts), len(sources)) == (2, 1)


def test_another_seam_is_pasted_without_the_model(tiny: Path) -> None:
    size = Size(64, 48)
    mask = aligned_mask(size)
    task = Inpaint(image=some_picture(size), mask=mask, seam=Seam(ring=4))
    request = request_for(tiny, steps=2, task=task)
    engine = Engine(CPU)
    first = engine.run(request, RecordingHooks())
    calls: list[int] = []
    bundle = engine._bundle
    assert bundle is not None
    for network in (bundle.unet, bundle.vae.encoder, bundle.vae.decoder, bundle.text_encoder):
        network.register_forward_hook(lambda *_: calls.append(1))
    for seam in (Seam(ring=0), Seam(ring=4, colour_match=False)):
        other = replace(request, task=replace(task, seam=seam))
        result = engine.run(other, RecordingHooks())
        assert calls == []
        assert result.request == other
        assert result.trail is first.trail
        np.testing.assert_array_equal(result.image, Engine(CPU).run(other, RecordingHooks()).image)
        assert (result.image != first.image).any()
    for changed in (replace(request, seed=9), replace(request, task=replace(task, seam=Seam(grow=8))), request):
        engine.run(changed, RecordingHooks())
        assert calls
        calls.clear()


def test_no_more_is_kept_than_fits() -> None:
    kept, made = Kept(most=2), []

    def get(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key)

    assert [get(key) for key in "abacab"] == list("abacab")
    assert made == ["a", "b", "c", "b"]


@pytest.mark.parametrize("vae", ["AutoencoderKL", "AutoencoderTiny"])
def test_another_vae_reads_the_source_anew(tmp_path: Path, vae: str) -> None:
    model = make_tiny_model(tmp_path / "model", TinyShape(vae=vae))
    other = make_tiny_model(tmp_path / "other", TinyShape(vae=vae, seed=5))
    engine = Engine(CPU)
    request = request_for(model, steps=1, task=ImageToImage(image=some_picture(Size(64, 48)), strength=1.0))
    engine.run(request, RecordingHooks())
    with_other = engine.run(replace(request, vae=str(other)), RecordingHooks()).image
    fresh = Engine(CPU).run(replace(request, vae=str(other)), RecordingHooks()).image
    np.testing.assert_array_equal(with_other, fresh)
