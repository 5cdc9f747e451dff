"""azure_cli.py AZ: drives the blob commands of the Azure CLI (the program AZ) against the account that
AZURE_STORAGE_CONNECTION_STRING names. Ends with `N passed, 0 failed`, or fails at the first command."""
import json
import os
import subprocess
import sys
import tempfile

AZ = sys.argv[1]
passed = 0


def az(*arguments, check=True):
    """What a command answers, as JSON."""
    global passed
    command = [AZ, "storage", *arguments, "--output", "json", "--only-show-errors"]
    done = subprocess.run(command, capture_output=True, text=True)
    if check and done.returncode != 0:
        sys.exit(f"FAILED az storage {' '.join(arguments)}\n{done.stderr.strip()}")
    passed += 1
    print("ok az storage", " ".join(arguments)[:100])
    return json.loads(done.stdout) if done.stdout.strip() else None


def expect(found, wanted):
    if found != wanted:
        sys.exit(f"FAILED {found!r} is not {wanted!r}")


def blob(*arguments):
    return az("blob", *arguments)


with tempfile.TemporaryDirectory() as folder:
    path = lambda name: os.path.join(folder, name)
    with open(path("notes.txt"), "w", encoding="utf-8") as file:
        file.write("hello world")
    with open(path("disk.vhd"), "wb") as file:
        file.write(b"\1" * 4096)
    here = ("--container-name", "src")
    notes = (*here, "--name", "notes.txt")

    expect(az("container", "create", "--name", "src")["created"], True)
    expect(az("container", "exists", "--name", "src")["exists"], True)
    blob("upload", *notes, "--file", path("notes.txt"), "--metadata", "by=cli")
    expect(blob("exists", *notes)["exists"], True)
    expect(blob("show", *notes)["properties"]["contentLength"], 11)
    expect(blob("metadata", "show", *notes), {"by": "cli"})
    blob("metadata", "update", *notes, "--metadata", "by=me")
    blob("update", *notes, "--content-type", "text/plain")
    expect([item["name"] for item in blob("list", *here)], ["notes.txt"])
    blob("download", *notes, "--file", path("back.txt"), "--no-progress")
    with open(path("back.txt"), encoding="utf-8") as file:
        expect(file.read(), "hello world")
    blob("set-tier", *notes, "--tier", "Cool")
    expect(blob("show", *notes)["properties"]["blobTier"], "Cool")
    lease = blob("lease", "acquire", "--container-name", "src", "--blob-name", "notes.txt",
                 "--lease-duration", "60")
    blob("lease", "release", "--container-name", "src", "--blob-name", "notes.txt",
         "--lease-id", lease)
    snapshot = blob("snapshot", *notes)["snapshot"]
    blob("copy", "start", "--destination-container", "src", "--destination-blob", "copy.txt",
         "--source-container", "src", "--source-blob", "notes.txt",
         "--source-snapshot", snapshot)
    expect(blob("show", *here, "--name", "copy.txt")["properties"]["copy"]["status"], "success")

    az("container", "create", "--name", "backups")
    disk = (*here, "--name", "disk.vhd")
    blob("upload", *disk, "--file", path("disk.vhd"), "--type", "page")
    first = blob("snapshot", *disk)["snapshot"]
    sas = blob("generate-sas", *disk, "--permissions", "r", "--expiry", "2099-01-01T00:00:00Z")
    url = blob("url", *disk)
    # Its `incremental-copy start` takes no key, only a login.
    blob("copy", "start", "--destination-container", "backups", "--destination-blob", "disk.vhd",
         "--source-uri", f"{url}?snapshot={first}&{sas}")
    expect(blob("show", "--container-name", "backups", "--name", "disk.vhd")
           ["properties"]["copy"]["status"], "success")

    blob("upload-batch", "--destination", "src", "--source", folder, "--pattern", "*.txt",
         "--overwrite", "--no-progress")
    az("container", "generate-sas", "--name", "src", "--permissions", "rl",
       "--expiry", "2099-01-01T00:00:00Z")
    blob("service-properties", "show")
    blob("delete", *notes, "--delete-snapshots", "include")
    blob("delete-batch", "--source", "src", "--pattern", "*.txt")
    expect([item["name"] for item in blob("list", *here)], ["disk.vhd"])
    az("container", "delete", "--name", "src")
print(f"{passed} passed, 0 failed")
