"""EditAnything: change the regions of a picture by a sentence; no other pixel changes."""
