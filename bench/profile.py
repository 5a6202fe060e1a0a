"""Where the server spends its time under load.

    python -m bench.end_to_end accept --profile          # cProfile, printed at the end
    python -m bench.profile run --config examples/demo.toml   # the same for a gateway by hand

*In*: arguments of the `smsc` command. *Out*: the functions with the most time of their own, on
standard error when the process ends, and the whole profile in `PROFILE_OUT` if that is set.
*Never*: figures to quote: the profiler doubles the cost of calls and hides that of C code.

Only the event loop's thread is measured; the LMDB writer thread is not. A sampling profiler such
as py-spy (`py-spy record -o flame.svg --native -p PID`) sees both and costs little.
"""

import cProfile
import os
import pstats
import sys

from smsc.cli import app

_LINES = 45


def main() -> None:
    """Run the command under the profiler."""
    profiler = cProfile.Profile()
    status = 1
    try:
        status = profiler.runcall(app) or 0
    finally:
        statistics = pstats.Stats(profiler, stream=sys.stderr)
        statistics.sort_stats("tottime").print_stats(_LINES)
        out = os.environ.get("PROFILE_OUT")
        if out:
            statistics.dump_stats(out)
    sys.exit(status)


if __name__ == "__main__":
    main()
