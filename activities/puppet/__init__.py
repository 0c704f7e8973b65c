"""The puppet: an animator that needs nothing but the character's picture."""

from activities.puppet.moves import poses
from activities.puppet.render import redraw, render
from activities.puppet.words import understand

__all__ = ["poses", "redraw", "render", "understand"]
