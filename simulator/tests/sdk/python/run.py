"""Drives a simulated blob service with Microsoft's own SDK for Python.

    python run.py CONNECTION-STRING OTHER-CONNECTION-STRING [HTTPS-URL CERTIFICATE-FILE]

The two connection strings are of two accounts; copies should move about a MiB a second. The URL is
that of the first account over https, for what takes a bearer token; without it those checks are
skipped.
"""

import sys
import traceback
from pathlib import Path

# Each registers its checks.
import pages, copies, incremental, from_url, blobs, lists, leases, sas, account  # noqa: F401,E401
from kit import CHECKS, World

HERE = Path(__file__).parent


def main():
    world = World(*sys.argv[1:])
    failed = skipped = 0
    for check in CHECKS:
        name = f"{check.__module__}: {check.__name__.replace('_', ' ')}"
        if getattr(check, "needs_https", False) and not world.secure:
            skipped += 1
            print(f"skipped  {name}")
            continue
        try:
            check(world)
            print(f"ok       {name}")
        except Exception as error:
            failed += 1
            print(f"FAILED   {name}")
            for frame in traceback.extract_tb(error.__traceback__):
                if Path(frame.filename).parent == HERE:
                    print(f"    {Path(frame.filename).name}:{frame.lineno}: {frame.line}")
            print(f"    {type(error).__name__}: {error}")
    also = f", {skipped} skipped" if skipped else ""
    print(f"{len(CHECKS) - failed - skipped} passed, {failed} failed{also}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
