"""Copies SOURCE to DEST on a Dask cluster whose workers have the wheel and the account's variables.

python copy_by_dask.py SCHEDULER SOURCE DEST SHARDS
"""

import subprocess
import sys

from dask.distributed import Client, as_completed

NEVER = 42  # All that is left can never work: running it again is pointless.


def copy(shard: str, source: str, dest: str) -> tuple[int, str]:
    """Runs one shard. Running it again, or on two workers at once, harms nothing."""
    command = ["blobcopy", "copy", "-r", source, dest, "--shard", shard, "--output", "jsonl"]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode not in (0, NEVER):
        raise RuntimeError(f"shard {shard}: exit code {ended.returncode}: {ended.stderr}")
    return ended.returncode, ended.stdout.splitlines()[-1]


def main(scheduler: str, source: str, dest: str, shards: str) -> int:
    with Client(scheduler) as client:
        names = [f"{index}/{shards}" for index in range(int(shards))]
        # Dask runs the shard of a worker that is lost on another one, and retries one that failed.
        copies = client.map(copy, names, source=source, dest=dest, retries=5, pure=False)
        codes = []
        for _, (code, report) in as_completed(copies, with_results=True):
            print(report, flush=True)
            codes.append(code)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
