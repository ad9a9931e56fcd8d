"""What happens when a widget of the Edit tab is used: each handler maps it to the session."""

from __future__ import annotations

from editanything.ui.opening import Opening
from editanything.ui.past import Past
from editanything.ui.running import Running


class Handlers(Opening, Running, Past):
    """The page's handlers over all users' sessions."""
