"""Activities by name and type, without their code: a workflow worker installs neither torch nor an image library."""

from temporalio import activity

from popcon.models import Delivery, EncodedEmoji
from popcon.tasks import (
    Animate,
    Animated,
    CalledWebhook,
    CallWebhook,
    ChooseFrames,
    ChosenFrames,
    EncodeEmoji,
    ExtractedPictures,
    ExtractPictures,
    MatteCharacter,
    MattedCharacter,
    MattedFrame,
    MatteFrame,
    PackageSet,
    Preview,
    RedrawFrame,
    RedrawnFrame,
    RefineAnimation,
    RefinedAnimation,
    RefineMatte,
    SmokeReport,
    SmokeTest,
    SquareCharacter,
    SquaredCharacter,
    SteadiedFrame,
    SteadyFrame,
)


@activity.defn
async def matte_character(task: MatteCharacter) -> MattedCharacter:
    """GPU queue: cut the uploaded character out and choose the plate."""
    raise NotImplementedError


@activity.defn
async def square_character(task: SquareCharacter) -> SquaredCharacter:
    """CPU queue: put the character on the canvas that animators work on."""
    raise NotImplementedError


@activity.defn
async def animate(task: Animate) -> Animated:
    """The animator's queue: render a take."""
    raise NotImplementedError


@activity.defn
async def extract_pictures(task: ExtractPictures) -> ExtractedPictures:
    """CPU queue: store pictures of a take."""
    raise NotImplementedError


@activity.defn
async def matte_frame(task: MatteFrame) -> MattedFrame:
    """GPU queue: give one picture its alpha."""
    raise NotImplementedError


@activity.defn
async def steady_frame(task: SteadyFrame) -> SteadiedFrame:
    """GPU queue: bring a matte in line with its neighbours in time. The same recipe where nothing is to be done."""
    raise NotImplementedError


@activity.defn
async def redraw_frame(task: RedrawFrame) -> RedrawnFrame:
    """The animator's queue: render one picture of a take once more."""
    raise NotImplementedError


@activity.defn
async def refine_matte(task: RefineMatte) -> MattedFrame:
    """GPU queue: erase or restore what is under some points."""
    raise NotImplementedError


@activity.defn
async def refine_animation(task: RefineAnimation) -> RefinedAnimation:
    """GPU queue: erase or restore what is under some points of one frame in all frames that show it."""
    raise NotImplementedError


@activity.defn
async def preview_refinement(task: RefineMatte) -> Preview:
    """GPU queue: show what `refine_matte` would change. People's programs ask for it, not the set."""
    raise NotImplementedError


@activity.defn
async def smoke(task: SmokeTest) -> SmokeReport:
    """GPU queue: show that the worker works. No set asks for it."""
    raise NotImplementedError


@activity.defn
async def choose_frames(task: ChooseFrames) -> ChosenFrames:
    """CPU queue: choose the best candidate of each frame."""
    raise NotImplementedError


@activity.defn
async def encode_emoji(task: EncodeEmoji) -> EncodedEmoji:
    """CPU queue: make the finished animation."""
    raise NotImplementedError


@activity.defn
async def package_set(task: PackageSet) -> Delivery:
    """CPU queue: deliver what is done."""
    raise NotImplementedError


@activity.defn
async def call_webhook(task: CallWebhook) -> CalledWebhook:
    """Webhook queue: tell somebody's server of an event."""
    raise NotImplementedError
