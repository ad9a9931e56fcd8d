"""Which layers of which network a drag reaches, by the two weights."""

from __future__ import annotations

from typing import Any

from torch import nn

# Names of diffusers' classes: they are told apart by name so that nothing heavy is imported here.
_TRANSFORMER = "BasicTransformerBlock"
_PLAIN_DOWN, _PLAIN_UP = "DownBlock2D", "UpBlock2D"


def attentions(net: Any, weight: float, *, whole: bool = False) -> list[nn.Module]:
    """The self-attentions that a drag reaches.

    The N transformer blocks, widest first, have the weights i/N (of a ControlNet, `whole`, all
    have 0); those below `weight` are reached.
    """
    blocks = [m for m in net.modules() if type(m).__name__ == _TRANSFORMER]
    blocks.sort(key=lambda block: -block.norm1.normalized_shape[0])
    kept = [b for i, b in enumerate(blocks) if weight > (0 if whole else i / len(blocks))]
    return [block.attn1 for block in kept if not getattr(block, "only_cross_attention", False)]


def normalisations(net: Any, weight: float) -> list[nn.Module]:
    """The modules after which features are normalised.

    They are the middle block as a whole (weight 0) and every resnet of the blocks without
    cross-attention: on the way down block i of n has the weight 1 - i/n (in a ControlNet 0), on
    the way up i/n. Those of at most `weight` are reached; 0 reaches none.
    """
    if weight == 0:
        return []
    found: list[nn.Module] = []
    middle = getattr(net, "mid_block", None)
    if middle is not None:
        found.append(middle)
    ups = getattr(net, "up_blocks", ())
    downs = net.down_blocks
    for i, block in enumerate(downs):
        own = 1 - i / len(downs) if ups else 0.0
        if type(block).__name__ == _PLAIN_DOWN and weight >= own:
            found += block.resnets
    for i, block in enumerate(ups):
        if type(block).__name__ == _PLAIN_UP and weight >= i / len(ups):
            found += block.resnets
    return found
