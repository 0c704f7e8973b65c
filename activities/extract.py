"""Takes pictures out of a take's video, exactly those that are asked for."""

from temporalio import activity

from activities.pictures import read_rgb, write_png
from activities.video import read_pictures
from popcon import keys
from popcon.storage import Storage
from popcon.tasks import ExtractedPictures, ExtractPictures


class Extractor:
    """The activity that stores pictures of a take."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @activity.defn
    def extract_pictures(self, task: ExtractPictures) -> ExtractedPictures:
        """Store those pictures that are not stored yet. Raises UnreadableVideo, ObjectMissing."""
        wanted = {number: keys.raw(task.set_id, task.take, number) for number in task.pictures}
        stored = set(self._storage.keys(keys.pictures(task.set_id, task.take)))  # one question instead of one for each
        missing = {number for number, key in wanted.items() if key not in stored}
        for number, picture in read_pictures(self._storage.get(task.video_key), missing):
            self._storage.put_once(wanted[number], write_png(picture))
            activity.heartbeat()
        height, width = read_rgb(self._storage.get(wanted[task.pictures[0]])).shape[:2]
        return ExtractedPictures(width=width, height=height)
