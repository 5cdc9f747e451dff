"""Prints shared access signatures of fixed content, one to a line: case, token.

The version is that of the package. What an older package cannot say is left out. The file that the tests
of signatures read, src/auth/sas/python_sdk.txt, holds what the packages named in it have printed.
"""

from datetime import datetime, timezone

from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    ContainerSasPermissions,
    ResourceTypes,
    UserDelegationKey,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)

try:
    from azure.storage.filedatalake import DirectorySasPermissions, generate_directory_sas
except ImportError:
    # A package of its own, which only the tests' file of values needs.
    generate_directory_sas = None

ACCOUNT = "devstoreaccount1"
# The key that everyone knows, of the emulators.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
EXPIRY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SNAPSHOT = "2025-12-31T23:59:59.1234567Z"
HEADERS = {
    "cache_control": "no-store",
    "content_disposition": 'attachment; filename="a b.txt"',
    "content_encoding": "gzip",
    "content_language": "de, en",
    "content_type": "text/plain; charset=utf-8",
}


def delegation_key(tenant=None):
    key = UserDelegationKey()
    key.signed_oid = "00000000-0000-0000-0000-00000000000a"
    key.signed_tid = "00000000-0000-0000-0000-00000000000b"
    key.signed_start = "2026-01-01T00:00:00Z"
    key.signed_expiry = "2026-01-03T00:00:00Z"
    key.signed_service = "b"
    key.signed_version = "2026-01-01"
    key.signed_delegated_user_tid = tenant
    key.value = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    return key


def blob(container="src", name="dir/b c.txt", key=None, **options):
    signed_by = {"user_delegation_key": key} if key else {"account_key": KEY}
    return generate_blob_sas(ACCOUNT, container, name, **signed_by, **options)


def container(key=None, **options):
    signed_by = {"user_delegation_key": key} if key else {"account_key": KEY}
    return generate_container_sas(ACCOUNT, "dst", **signed_by, **options)


def directory(key=None, **options):
    if generate_directory_sas is None:
        raise TypeError("not installed")
    permission = DirectorySasPermissions(read=True, list=True)
    return generate_directory_sas(
        ACCOUNT, "dst", "a b/c", key or KEY, permission=permission, expiry=EXPIRY, **options
    )


def account():
    return generate_account_sas(
        ACCOUNT,
        KEY,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, delete=True, list=True, add=True, create=True),
        EXPIRY,
        start=START,
        ip="168.1.5.60-168.1.5.70",
        protocol="https",
    )


# Said, since the oldest package takes it for granted.
READ = BlobSasPermissions(read=True, tag=False)
WRITE = BlobSasPermissions(
    read=True, add=True, create=True, write=True, delete=True, tag=False
)
LIST = ContainerSasPermissions(read=True, list=True, tag=False)
FROM = {"permission": READ, "expiry": EXPIRY, "start": START, "protocol": "https"}
SHORT = {"permission": READ, "expiry": EXPIRY}
DELEGATED = "00000000-0000-0000-0000-00000000000d"

CASES = {
    "blob": lambda: blob(**FROM),
    "blob, write": lambda: blob(permission=WRITE, expiry=EXPIRY),
    "blob, headers": lambda: blob(**SHORT, **HEADERS),
    "blob, addresses": lambda: blob(**SHORT, ip="168.1.5.60-168.1.5.70"),
    "blob, umlaut": lambda: blob(name="ä/ö+ü.txt", **SHORT),
    "blob, root": lambda: blob(container="$root", name="b", **SHORT),
    "blob, policy": lambda: blob(policy_id="pol 1"),
    "snapshot": lambda: blob(snapshot=SNAPSHOT, **SHORT),
    "version": lambda: blob(version_id=SNAPSHOT, **SHORT),
    "scope": lambda: blob(encryption_scope="scope1", **SHORT),
    "container": lambda: container(permission=LIST, expiry=EXPIRY, start=START),
    "container, policy": lambda: container(policy_id="pol 1"),
    "directory": directory,
    "account": account,
    "user, blob": lambda: blob(key=delegation_key(), **FROM),
    "user, headers": lambda: blob(key=delegation_key(), **SHORT, **HEADERS),
    "user, snapshot": lambda: blob(key=delegation_key(), snapshot=SNAPSHOT, **SHORT),
    "user, version": lambda: blob(key=delegation_key(), version_id=SNAPSHOT, **SHORT),
    "user, scope": lambda: blob(key=delegation_key(), encryption_scope="scope1", **SHORT),
    "user, container": lambda: container(key=delegation_key(), permission=LIST, expiry=EXPIRY),
    "user, directory": lambda: directory(key=delegation_key()),
    "user, correlation": lambda: blob(
        key=delegation_key(), correlation_id="00000000-0000-0000-0000-0000000000cc", **SHORT
    ),
    "user, for one": lambda: blob(
        key=delegation_key(), user_delegation_oid="00000000-0000-0000-0000-00000000000e", **SHORT
    ),
    "user, for one of a tenant": lambda: blob(
        key=delegation_key(DELEGATED),
        user_delegation_oid="00000000-0000-0000-0000-00000000000e",
        **SHORT,
    ),
    "user, bound to a request": lambda: blob(
        key=delegation_key(),
        request_headers={"x-ms-test": "1", "x-ms-zed": "2"},
        request_query_params={"timeout": "30"},
        **SHORT,
    ),
}

# What came with later packages: those before would pass over it, or not know the word.
SAYS = {
    "scope": "ses=",
    "user, scope": "ses=",
    "version": "sr=bv",
    "user, version": "sr=bv",
    "user, correlation": "scid=",
    "user, for one": "sduoid=",
    "user, for one of a tenant": "skdutid=",
    "user, bound to a request": "srh=",
}

for case, make in CASES.items():
    try:
        token = make()
    except TypeError:
        continue
    if SAYS.get(case, "") in token:
        print(f"{case}\t{token}")
