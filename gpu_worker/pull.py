"""`python -m gpu_worker.pull NAME`: fetch a matte's weights to where rembg looks for them, as rembg itself does."""

import sys
from pathlib import Path

from popcon.errors import ModelMissing, Permanent, PopconError, Unavailable
from popcon.mattes import MatteModel, matte

BAD_INPUT, FAILED = 2, 1


def main() -> None:
    """Fetch what the argument names and print where it lies; what goes wrong becomes one line and an exit code."""
    try:
        print(pull(matte(sys.argv[1])))
    except PopconError as error:
        print(f"popcon: {error}", file=sys.stderr)
        sys.exit(BAD_INPUT if isinstance(error, Permanent) else FAILED)


def pull(model: MatteModel) -> Path:
    """Fetch the model's weights, unless they are here, with a bar on stderr, and check them. Answers where they lie.

    Raises ModelMissing where rembg is not installed; Unavailable where the weights cannot be fetched, or arrive broken.
    """
    try:
        from rembg.sessions import sessions
        from requests import RequestException
    except ImportError as error:
        raise ModelMissing(
            f"to pull weights takes {error.name}, which is not installed: run `make setup-gpu`"
        ) from error
    try:
        return Path(sessions[model.session].download_models())
    except RequestException as error:
        raise Unavailable(f"cannot fetch the weights of {model.name} from {model.url}: {error}") from error
    except ValueError as error:  # how pooch, which rembg fetches with, says that a checksum differs
        raise Unavailable(f"the weights of {model.name} arrived broken, and are not kept: try again") from error


if __name__ == "__main__":
    main()
