"""The program's door. Whoever presses Ctrl-C while it is still loading gets no traceback."""

import sys


def main() -> None:
    try:
        from mailer.cli import main as command_line  # noqa: PLC0415  # here, where Ctrl-C is waited for

        command_line()
    except KeyboardInterrupt:
        sys.exit(130)  # 128 and the number of SIGINT, as shells say it


if __name__ == "__main__":
    main()
