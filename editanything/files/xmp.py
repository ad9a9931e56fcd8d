"""The recipe inside a file's XMP packet (ISO 16684-1), beside whatever else the packet holds."""

from __future__ import annotations

import re
from xml.dom import minidom
from xml.dom.minidom import Document, Element
from xml.parsers.expat import ExpatError

NAMESPACE = "urn:x-editanything:1.0#"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    f'<rdf:RDF xmlns:rdf="{_RDF}"></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="w"?>'
)
_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>)\s*)[2-8]")


def upright(packet: bytes) -> bytes:
    """The packet with its orientation property reset to 1."""
    return _ORIENTATION.sub(rb"\g<1>1", packet)


def split(packet: bytes) -> tuple[bytes | None, str | None]:
    """A packet without our recipe (None where nothing else is in it), and the recipe."""
    if NAMESPACE.encode() not in packet:
        return packet, None
    document = _parse(packet)
    if document is None:
        return packet, None
    recipe = None
    for description in list(document.getElementsByTagNameNS(_RDF, "Description")):
        found = _take(description)
        recipe = found if recipe is None else recipe
    if not document.getElementsByTagNameNS(_RDF, "Description"):
        return None, recipe
    return _text(document).encode(), recipe


def join(packet: bytes | None, recipe: str | None) -> bytes | None:
    """The packet with the recipe added; what is no XMP at all gives way to a new packet."""
    if recipe is None:
        return packet
    document = _parse(packet) if packet else None
    homes = document.getElementsByTagNameNS(_RDF, "RDF") if document else []
    if document is None or not homes:
        document = minidom.parseString(_EMPTY)  # noqa: S318  our own text
        homes = document.getElementsByTagNameNS(_RDF, "RDF")
    home = homes[0]
    # Every description of a packet is about the same thing (ISO 16684-1, 7.4).
    first = next(iter(home.getElementsByTagNameNS(_RDF, "Description")), None)
    about = first.getAttributeNS(_RDF, "about") if first else ""
    prefix = home.prefix or "rdf"
    description = document.createElementNS(_RDF, f"{prefix}:Description")
    description.setAttributeNS(_RDF, f"{prefix}:about", about)
    description.setAttribute("xmlns:editanything", NAMESPACE)
    element = document.createElementNS(NAMESPACE, "editanything:recipe")
    element.appendChild(document.createTextNode(recipe))
    description.appendChild(element)
    home.appendChild(description)
    return _text(document).encode()


def _take(description: Element) -> str | None:
    """Remove our recipe from one description (which goes too where it held nothing else)."""
    recipe = None
    if description.hasAttributeNS(NAMESPACE, "recipe"):
        recipe = description.getAttributeNS(NAMESPACE, "recipe")
        description.removeAttributeNS(NAMESPACE, "recipe")
    for element in description.getElementsByTagNameNS(NAMESPACE, "recipe"):
        recipe = "".join(node.data for node in element.childNodes if hasattr(node, "data"))
        _cut(element)
    if recipe is not None and _says_nothing(description):
        _cut(description)
    return recipe


def _cut(element: Element) -> None:
    assert element.parentNode is not None
    element.parentNode.removeChild(element)


def _says_nothing(description: Element) -> bool:
    elements = [node for node in description.childNodes if isinstance(node, Element)]
    names = [a.name for a in description.attributes.values()]
    return not elements and all(n.startswith("xmlns") or n.endswith("about") for n in names)


def _parse(packet: bytes) -> Document | None:
    """The packet as a document; None where it is no XML, or has a document type (never in XMP)."""
    text = packet.strip(b"\0 \t\r\n")
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        return None
    try:
        document = minidom.parseString(text)  # noqa: S318  without a document type nothing expands
        _text(document)
    except (ExpatError, RecursionError):  # no XML, or nested beyond all sense
        return None
    return document


def _text(document: Document) -> str:
    return "".join(node.toxml() for node in document.childNodes)
