"""What the command `popcon` starts: the command line, and silence when it is interrupted."""

import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line. Ctrl-C ends it without a traceback at any moment."""
    try:
        # Imported here, because that takes the better part of a second, in which people press Ctrl-C too.
        from starter.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        # What Python still has to end, like a thread that fetches a file, shows a traceback to whoever interrupts that.
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
