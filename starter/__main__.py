"""What the command `popcon` starts: the command line, and silence when it is interrupted."""

import signal

from popcon.ending import end

INTERRUPTED = 130


def main() -> None:
    """Run the command line, and end the process."""
    end(run())


def run() -> int:
    """Run the command line; its exit code. Ctrl-C ends it without a traceback at any moment."""
    try:
        # Imported here, because that takes the better part of a second, in which people press Ctrl-C too.
        from starter.cli import main as command

        command()
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    finally:
        # From here on it takes no time that somebody could interrupt with a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return 0


if __name__ == "__main__":
    main()
