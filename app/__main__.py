"""``limner`` and ``python -m app``: the window without a command, the command line with one."""

from __future__ import annotations

import sys
from pathlib import Path

from app.core.environment import prepare_environment

COMMANDS = frozenset({"render", "samplers", "models", "doctor"})
_OWN = frozenset({"unpickle", "engine"})
"""What only Limner itself starts."""
_ASKING = frozenset({"-h", "--help", "--version"})
_WITH_A_VALUE = frozenset({"--data-dir", "--selftest-dir", "--engine"})


def main(arguments: list[str] | None = None) -> int:
    """Run the studio or a command; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(given)
    except KeyboardInterrupt:  # Ctrl-C while Python still imports; later the command line has its own answer
        return 130


def _run(given: list[str]) -> int:
    prepare_environment()
    if given == ["engine"]:
        from app.cli.painter import paint_for_studio

        return paint_for_studio()
    if is_command(given):
        from app.cli import main as run_command

        return run_command(given)
    word = first_word(given)
    if word is not None and looks_like_a_command(word):
        known = ", ".join(sorted(COMMANDS))
        print(f"There is no command “{word}”. Use one of {known}, or name a picture to open.", file=sys.stderr)
        return 2
    from app.early import start_engine

    engine = start_engine(given)
    from app.main import main as run_studio

    return run_studio(given, engine)


def first_word(given: list[str]) -> str | None:
    """The first word that is no option, nor an option's value."""
    words = iter(given)
    for word in words:
        if word in _WITH_A_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def is_command(given: list[str]) -> bool:
    """True when the first word is a command or a question; any other word is the studio's, a file to open say."""
    word = first_word(given)
    before = given if word is None else given[: given.index(word)]
    return not _ASKING.isdisjoint(before) or word in COMMANDS | _OWN


def looks_like_a_command(word: str) -> bool:
    """A bare word that names no file; “photo.png” or “a/b” were meant as pictures, even if they are not there."""
    return word.isidentifier() and not Path(word).exists()


if __name__ == "__main__":
    sys.exit(main())
