"""What must be said wherever stickers, or copies of them, go."""

_MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""

NOTICE = f"""\
The pictures and names in this folder are other people's work. The column `style` says which.

Style "fluent": Fluent Emoji, 3D.
    Copyright (c) Microsoft Corporation. MIT License (below).
    Packaged as @lobehub/fluent-emoji-3d; Copyright (c) 2023 LobeHub. MIT License.
Style "noto": Noto Emoji.
    Copyright Google Inc. Apache License 2.0; packaged as @iconify-json/noto (Apache-2.0).
    The licence's text: https://www.apache.org/licenses/LICENSE-2.0
Names, tags and groups: emojibase-data.
    Copyright (c) 2017-2019 Miles Johnson. MIT License.

Changes: the pictures were drawn or shrunk to one size and saved as lossless WebP; skin tones,
flags, components and signs were left out; some names were reworded.

MIT License

{_MIT}"""
