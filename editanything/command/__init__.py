"""Text -> Command: what a sentence asks to be done to a picture. Pure words, no models."""

from editanything.command.parser import parse
from editanything.command.types import Command, Operation, Relation, Selector, Where

__all__ = ["Command", "Operation", "Relation", "Selector", "Where", "parse"]
