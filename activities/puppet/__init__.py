"""The puppet: an animator that needs nothing but the character's picture."""

from activities.puppet.performance import Performance
from activities.puppet.render import cut_out, redraw, render
from activities.puppet.words import Understood, understand

__all__ = ["Performance", "Understood", "cut_out", "redraw", "render", "understand"]
