"""Make a set's emojis for another platform: each anew from its mattes, then packaged beside the set's own delivery."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from popcon import edits, exports
from popcon.errors import Refused
from popcon.messages import ExportSet
from popcon.models import Emoji, EmojiStatus, Export, ExportProgress, SetState
from popcon.tasks import PackageSet
from workflows import steps, stubs
from workflows.perform import perform
from workflows.policies import AS_BATCH, ON_CPU
from workflows.wording import reason


class Exporter:
    """One export, of the set as it stands when it begins. `left_out` says which emojis could not be made, and why."""

    def __init__(self, state: SetState, asked: ExportSet) -> None:
        edits.refuse(state, asked)
        self._target = exports.target_of(state, asked)
        self._revision = exports.next_revision(state, asked.platform)
        self._state = exports.snapshot(state)
        self._done = [each for each in self._state.ordered if each.status is EmojiStatus.DONE]
        self.progress = ExportProgress(platform=asked.platform, emojis=len(self._done))
        self.left_out: dict[int, str] = {}

    async def run(self) -> Export:
        """Encode what is done, and package it. Raises Refused when no emoji could be made."""
        for emoji in await asyncio.gather(*map(self._made, self._done)):
            self._state = edits.with_emoji(self._state, emoji)
        made = len(self._done) - len(self.left_out)
        if not made:
            raise Refused(f"no emoji could be made for {self._target.platform}: {next(iter(self.left_out.values()))}")
        delivery = await perform(
            stubs.package_set,
            PackageSet(
                state=self._state,
                revision=self._revision,
                packaged=workflow.now().isoformat(),
                status=edits.status_when_packaged(self._state, self._target.platform),
                export=self._target,
            ),
            how=ON_CPU,
            summary=f"package {made} emojis for {self._target.platform} as revision {self._revision}",
        )
        return Export(**self._target.model_dump(), delivery=delivery)

    async def _made(self, emoji: Emoji) -> Emoji:
        """The emoji with its file for the platform. One that fails fails alone."""
        request = self._state.request.model_copy(
            update={"platform": self._target.platform, "stroke": self._target.stroke}
        )
        try:
            encoded = await steps.encode(request, emoji, ways=AS_BATCH)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            failure = reason(error)
            self.left_out[emoji.number] = failure
            return emoji.model_copy(update={"status": EmojiStatus.FAILED, "failure": failure, "encoded": None})
        self.progress = self.progress.model_copy(update={"done": self.progress.done + 1})
        return emoji.model_copy(update={"encoded": encoded})
