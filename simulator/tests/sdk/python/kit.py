"""What the checks have in common: the accounts, things to begin with, and how a refusal is said."""

import time
import uuid
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    generate_blob_sas,
)

PAGE = 512
KIB = 1024

# A copy of it takes most of a day at the pace of the simulator that the checks run against; it is
# sparse, so it costs nothing.
ENDLESS = 64 * KIB**3

CHECKS = []


def check(function):
    """Registers a check; its name is the sentence that it proves."""
    CHECKS.append(function)
    return function


def over_https(check):
    """Marks a check that needs https, as bearer tokens and customers' keys do."""
    check.needs_https = True
    return check


class World:
    """Two accounts by their keys, and, where https is served, the first by a bearer token."""

    def __init__(self, connection, other_connection, secure_url=None, certificate=None):
        # One attempt each: a retry would hide what the simulator said first.
        options = {"retry_total": 0}
        self.service = BlobServiceClient.from_connection_string(connection, **options)
        self.other = BlobServiceClient.from_connection_string(other_connection, **options)
        self.secure = secure_url and BlobServiceClient(
            secure_url, credential=Token(), connection_verify=certificate, **options
        )
        self.certificate = certificate

    def container(self, service=None):
        """A new container, by default in the first account."""
        return (service or self.service).create_container(f"c-{uuid.uuid4()}")

    def page_blob(self, container, name="disk.vhd", size=64 * KIB, **options):
        """A new page blob with its first page written."""
        blob = container.get_blob_client(name)
        blob.create_page_blob(size, **options)
        blob.upload_page(b"a" * PAGE, offset=0, length=PAGE)
        return blob

    def block_blob(self, container, name="notes.txt", data=b"some notes", **options):
        """A new block blob."""
        blob = container.get_blob_client(name)
        blob.upload_blob(data, **options)
        return blob


class Token:
    """A credential whose token the simulator is told to accept."""

    def get_token(self, *_scopes, **_options):
        return AccessToken("a-token-for-tests", int(time.time()) + 3600)


def in_an_hour():
    return datetime.now(timezone.utc) + timedelta(hours=1)


def key_of(client):
    return client.credential.account_key


def readable(blob, snapshot=None):
    """The blob's URL, or that of a snapshot of it, with a SAS that can read it."""
    sas = generate_blob_sas(
        blob.account_name,
        blob.container_name,
        blob.blob_name,
        account_key=key_of(blob),
        permission=BlobSasPermissions(read=True),
        expiry=in_an_hour(),
    )
    base = blob.url.split("?")[0]
    return f"{base}?snapshot={snapshot}&{sas}" if snapshot else f"{base}?{sas}"


def at_snapshot(blob, snapshot):
    """A client of a snapshot of the blob."""
    base = blob.url.split("?")[0]
    return BlobClient.from_blob_url(base, credential=blob.credential, snapshot=snapshot)


def settled(blob, within=30):
    """Polls until the copy into the blob has ended; the properties then."""
    deadline = time.monotonic() + within
    while (properties := blob.get_blob_properties()).copy.status == "pending":
        assert time.monotonic() < deadline, f"still pending: {properties.copy}"
    return properties


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


@contextmanager
def refused(status, code=None):
    """Expects the service to refuse with this status and code."""
    try:
        yield
    except HttpResponseError as error:
        found = (error.status_code, getattr(error, "error_code", None))
        assert found[0] == status and code in (None, found[1]), f"{found} is not {(status, code)}: {error}"
    else:
        raise AssertionError(f"not refused with {status} {code}")
