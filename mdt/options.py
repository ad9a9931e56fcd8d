"""Kinds of options on the command line."""

from __future__ import annotations

import argparse


def from_1(text: str) -> int:
    """A whole number from 1 on.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    return _from(1, text)


def from_0(text: str) -> int:
    """A whole number from 0 on.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    return _from(0, text)


def _from(least: int, text: str) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"takes a whole number from {least} on; got {text!r}")
    return int(text)
