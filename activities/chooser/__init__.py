"""The chooser: which candidate of each frame is best, judged by its matte and by its neighbours in the loop."""

from activities.chooser.choice import Choice, Option, Slot, choose, wanted
from activities.chooser.doubt import doubt
from activities.chooser.faults import Picture
from activities.chooser.notes import ChoiceNotes, FrameChoice
from activities.chooser.thumbnail import Thumbnail, thumbnail

__all__ = [
    "Choice",
    "ChoiceNotes",
    "FrameChoice",
    "Option",
    "Picture",
    "Slot",
    "Thumbnail",
    "choose",
    "doubt",
    "thumbnail",
    "wanted",
]
