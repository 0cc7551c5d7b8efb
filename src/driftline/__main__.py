"""The `driftline` command, and `python -m driftline`."""

INTERRUPTED = 130


def main() -> None:
    """Run the command line; Ctrl-C ends it without a traceback, also while modules are imported and commands built."""
    try:
        from driftline.cli import main as run  # noqa: PLC0415  # takes most of a second

        run()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main()
