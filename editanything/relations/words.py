"""What names tell about two regions: a hat is worn, an eye is a part, smoke is made, a text names.

Names help where regions have them; nothing hangs on them but "produces" and "names".
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PARTS = _words(
    """
    eye eyes ear nose mouth lip hair beard face head hand arm leg foot tail paw wing beak horn
    wheel tire tyre door window roof handle lid lens screen leaf petal stem fin collar sleeve
    button pocket whisker whiskers spout rim mirror headlight chimney
    """
)
WORN = _words(
    """
    hat cap helmet glasses sunglasses shirt t-shirt jacket coat dress skirt trousers pants
    jeans shorts shoe shoes boot boots sock glove gloves scarf tie belt watch ring earring
    earrings necklace bracelet mask crown suit sweater hoodie backpack collar bow spacesuit
    uniform
    """
)
BEARERS = _words(
    """
    person man woman boy girl child kid baby people cat dog horse bear rabbit animal astronaut
    player face head teddy doll monkey
    """
)
PRODUCED = _words(
    """
    smoke steam flame flames fire flash spray splash foam bubble bubbles dust trail exhaust beam
    glow ray rays spark sparks wake vapour vapor
    """
)
LABELS = _words(
    """
    text label caption sign logo letter letters number lettering title inscription tag barcode
    writing word words name price watermark
    """
)
