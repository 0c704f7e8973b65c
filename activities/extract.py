"""Takes pictures out of a take's video, exactly those that are asked for, and reports on all of it on the way."""

from collections.abc import Iterable, Iterator, Mapping

from temporalio import activity

from activities.animate import rgb
from activities.pictures import Pixels, read_rgb, write_png
from activities.take_quality import take_quality
from activities.video import read_pictures
from popcon import keys
from popcon.errors import UnreadableVideo
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
        missing = {number: key for number, key in wanted.items() if key not in stored}
        pictures = self._storing(missing, read_pictures(self._storage.get(task.video_key)))
        quality = take_quality(pictures, rgb(task.plate) if task.plate else None, task.seconds)
        height, width = read_rgb(self._storage.get(wanted[task.pictures[0]])).shape[:2]
        return ExtractedPictures(width=width, height=height, quality=quality)

    def _storing(self, missing: Mapping[int, str], pictures: Iterable[Pixels]) -> Iterator[Pixels]:
        """The pictures as they come, each stored under its key if it is missing. Raises UnreadableVideo."""
        number = 0
        for number, picture in enumerate(pictures, start=1):
            if number in missing:
                self._storage.put_once(missing[number], write_png(picture))
            activity.heartbeat()
            yield picture
        lacking = ", ".join(str(each) for each in sorted(missing) if each > number)
        if lacking:
            raise UnreadableVideo(f"the take's video lacks picture {lacking}: render another take")
