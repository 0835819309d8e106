"""The exit codes of every command."""

DONE = 0
BAD_INPUT = 2
NO_RESULT = 3
NOBODY_READS = 141
"""As a shell reports a program that SIGPIPE (13) stopped: 128 + 13."""

MEANINGS = {
    DONE: "done",
    BAD_INPUT: "bad input: the message names the value and the remedy",
    NO_RESULT: "no result: the message names the quantity and what to try",
}
