"""The contact sheet: a whole set on one page, on light, on dark and on LINE's green, to be judged at a glance."""

from activities.contact_sheet.grid import Grid, grid_for
from activities.contact_sheet.panels import panels
from activities.contact_sheet.sheet import Card, Heading, contact_sheet

__all__ = ["Card", "Grid", "Heading", "contact_sheet", "grid_for", "panels"]
