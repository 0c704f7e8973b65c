"""The chooser: which candidate of each frame is best, judged by its matte and by its neighbours in the loop."""

from activities.chooser.choice import Choice, Option, Slot, choose, wanted
from activities.chooser.faults import Picture
from activities.chooser.notes import ChoiceNotes
from activities.chooser.thumbnail import Thumbnail, thumbnail

__all__ = ["Choice", "ChoiceNotes", "Option", "Picture", "Slot", "Thumbnail", "choose", "thumbnail", "wanted"]
