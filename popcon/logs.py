"""How every process logs: one line an event, to stderr."""

import logging

from popcon.settings import Settings


def log_to_stderr(settings: Settings) -> None:
    """Log to stderr with time, level and module, at the level of the settings."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    # botocore and the SDK tell at INFO what only their authors need.
    for name in ("botocore", "boto3", "urllib3", "s3transfer"):
        logging.getLogger(name).setLevel(logging.WARNING)
