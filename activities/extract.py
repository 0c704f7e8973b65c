"""Takes pictures out of a take's video, those that its frames can show, and reports on all of it on the way."""

from collections.abc import Iterable, Iterator

from temporalio import activity

from activities.loop import choose_loop
from activities.pictures import Pixels, read_rgb, write_png
from activities.take_quality import survey, take_quality
from activities.video import count_pictures, read_pictures
from popcon import keys, storyboard
from popcon.colours import rgb_levels
from popcon.errors import UnreadableVideo
from popcon.models import Loop
from popcon.storage import Storage
from popcon.tasks import ExtractedPictures, ExtractPictures


class Extractor:
    """The activity that chooses a take's loop and stores pictures of it."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    @activity.defn
    def extract_pictures(self, task: ExtractPictures) -> ExtractedPictures:
        """Store those pictures that are not stored yet. Raises UnreadableVideo, ObjectMissing."""
        video = self._storage.get(task.video_key)
        pictures = count_pictures(video)
        if not pictures:
            raise UnreadableVideo("the take's video holds no pictures: render another take")
        # Most takes loop as a whole: what that needs is stored at once, so that these are decoded only once.
        whole = Loop(length=pictures)
        seen = survey(self._storing(task, whole, read_pictures(video)), rgb_levels(task.plate) if task.plate else None)
        loop = whole if task.loops else choose_loop(seen.thumbnails, task.frames)
        if loop != whole:
            for _ in self._storing(task, loop, read_pictures(video)):
                pass
        first = keys.raw(task.set_id, task.take, loop.start)
        height, width = read_rgb(self._storage.get(first)).shape[:2]
        quality = take_quality(seen, loop, task.seconds)
        return ExtractedPictures(width=width, height=height, loop=loop, quality=quality)

    def _storing(self, task: ExtractPictures, loop: Loop, pictures: Iterable[Pixels]) -> Iterator[Pixels]:
        """All pictures as they come, each stored if the loop's frames can show it and it is missing."""
        stored = set(self._storage.keys(keys.pictures(task.set_id, task.take)))  # one question instead of one for each
        numbers = storyboard.pictures_wanted(task.frames, loop)
        wanted = {number: keys.raw(task.set_id, task.take, number) for number in numbers}
        missing = {number: key for number, key in wanted.items() if key not in stored}
        for number, picture in enumerate(pictures, start=1):
            if number in missing:
                self._storage.put_once(missing[number], write_png(picture))
            activity.heartbeat()
            yield picture
