"""What it costs Python's MLX to build lazy ops: nanoseconds an op, the median of many chains, as one JSON object.

The same chains as in tests/src/bin/overhead.rs; nothing is computed.
"""

import json
import statistics
import time

import mlx.core as mx

CHAIN = 1000
ROUNDS = 201

LINKS = {
    "add": lambda x, y: x + y,
    "add_scalar": lambda x, y: x + 1.0,
    "matmul": lambda x, y: x @ y,
    "softmax": lambda x, y: mx.softmax(x, axis=-1),
    "transpose": lambda x, y: x.transpose(1, 0),
}


def call_cost():
    """Nanoseconds of the call of a lambda, which is no part of an op."""
    empty = lambda x, y: x  # noqa: E731
    return nanoseconds(empty, None, None)


def nanoseconds(link, x, y):
    times = []
    for _ in range(ROUNDS):
        chain = x
        start = time.perf_counter_ns()
        for _ in range(CHAIN):
            chain = link(chain, y)
        times.append((time.perf_counter_ns() - start) / CHAIN)
    return statistics.median(times)


def main():
    x, y = mx.ones((8, 8)), mx.ones((8, 8))
    call = call_cost()
    print(json.dumps({name: nanoseconds(link, x, y) - call for name, link in LINKS.items()}))


if __name__ == "__main__":
    main()
