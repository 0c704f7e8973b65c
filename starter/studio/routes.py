"""All pages of the studio, in the order in which their addresses are tried."""

from starter.studio import archive, emoji, entrance, files, messages, new_sets, sets
from starter.studio.entrance import problem_page

ROUTERS = tuple(each.router for each in (archive, entrance, files, new_sets, sets, emoji, messages))

__all__ = ["ROUTERS", "problem_page"]
