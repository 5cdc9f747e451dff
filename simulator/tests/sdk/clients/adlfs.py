"""adlfs.py: drives adlfs, the file system of fsspec, against the account that
AZURE_STORAGE_CONNECTION_STRING names. Ends with `N passed, 0 failed`, or fails at the first check."""
import os
import sys

# This file has the package's name.
sys.path.pop(0)

import adlfs  # noqa: E402

passed = 0


def expect(found, wanted):
    global passed
    if found != wanted:
        sys.exit(f"FAILED {found!r} is not {wanted!r}")
    passed += 1
    print("ok", found)


def names(entries):
    return sorted(entry["name"] if isinstance(entry, dict) else entry for entry in entries)


fs = adlfs.AzureBlobFileSystem(
    connection_string=os.environ["AZURE_STORAGE_CONNECTION_STRING"], skip_instance_cache=True
)
fs.mkdir("data")
expect(fs.exists("data"), True)
fs.pipe("data/2026/a.bin", b"a" * 1000)
fs.pipe("data/2026/b c.bin", b"b" * 10)
fs.pipe("data/top.txt", b"top")
expect(names(fs.ls("data", detail=False)), ["data/2026", "data/top.txt"])
expect(names(fs.find("data")), ["data/2026/a.bin", "data/2026/b c.bin", "data/top.txt"])
expect(names(fs.glob("data/2026/*.bin")), ["data/2026/a.bin", "data/2026/b c.bin"])
expect(fs.cat_file("data/2026/a.bin", start=990), b"a" * 10)
expect(fs.info("data/2026/b c.bin")["size"], 10)
with fs.open("data/2026/large.bin", "wb", block_size=1 << 20) as file:
    for piece in range(5):
        file.write(bytes([piece]) * (1 << 20))
with fs.open("data/2026/large.bin", "rb") as file:
    file.seek(3 << 20)
    expect(file.read(2), b"\3\3")
fs.cp_file("data/top.txt", "data/copy.txt")
expect(fs.cat("data/copy.txt"), b"top")
fs.mv("data/copy.txt", "data/moved.txt")
expect(fs.exists("data/copy.txt"), False)
expect(fs.cat("data/moved.txt"), b"top")
with fs.open("data/log.txt", "ab") as file:
    file.write(b"one")
with fs.open("data/log.txt", "ab") as file:
    file.write(b"two")
expect(fs.cat("data/log.txt"), b"onetwo")
fs.rm("data/2026", recursive=True)
expect(names(fs.find("data")), ["data/log.txt", "data/moved.txt", "data/top.txt"])
fs.rmdir("data")
expect(fs.exists("data"), False)
print(f"{passed} passed, 0 failed")
