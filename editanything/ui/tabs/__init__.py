"""The tabs of the web editor: one file each, with one function that lays it out and connects it."""
