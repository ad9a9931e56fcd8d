"""The web editor: a costume over the Editor; it maps widgets to calls and edits nothing itself."""
