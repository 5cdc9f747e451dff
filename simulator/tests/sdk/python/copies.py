"""Copy Blob: pending, polled, aborted, and under conditions; inside an account and across two."""

from azure.core import MatchConditions

from kit import ENDLESS, KIB, PAGE, check, equal, readable, refused, settled


def endless_copy(world):
    """A destination whose copy does not end by itself, and the id of that copy."""
    container = world.container()
    source = world.page_blob(container, "source.vhd", size=ENDLESS)
    destination = container.get_blob_client("destination.vhd")
    started = destination.start_copy_from_url(source.url)
    equal(started["copy_status"], "pending")
    return destination, started["copy_id"]


@check
def a_copy_is_pending_and_then_succeeds(world):
    container = world.container()
    source = world.page_blob(container, "source.vhd", size=64 * KIB, metadata={"day": "1"})
    destination = container.get_blob_client("destination.vhd")
    started = destination.start_copy_from_url(source.url)
    equal(started["copy_status"], "pending")
    copied = settled(destination)
    equal(copied.copy.status, "success")
    equal(copied.copy.id, started["copy_id"])
    equal(copied.copy.progress, f"{64 * KIB}/{64 * KIB}")
    equal(copied.metadata, {"day": "1"})
    assert copied.copy.source.endswith("source.vhd"), copied.copy.source
    assert copied.copy.completion_time
    equal(destination.download_blob().readall(), source.download_blob().readall())


@check
def a_copy_takes_metadata_and_tags_of_its_own(world):
    container = world.container()
    source = world.block_blob(container, metadata={"day": "1"}, tags={"kind": "source"})
    destination = container.get_blob_client("copy")
    destination.start_copy_from_url(source.url, metadata={"day": "2"}, tags={"kind": "copy"})
    equal(settled(destination).metadata, {"day": "2"})
    equal(destination.get_blob_tags(), {"kind": "copy"})


@check
def a_copy_of_a_snapshot_restores_it(world):
    blob = world.page_blob(world.container(), size=PAGE)
    snapshot = blob.create_snapshot()["snapshot"]
    blob.upload_page(b"z" * PAGE, offset=0, length=PAGE)
    blob.start_copy_from_url(f"{blob.url}?snapshot={snapshot}")
    equal(settled(blob).copy.status, "success")
    equal(blob.download_blob().readall(), b"a" * PAGE)


@check
def a_copy_from_another_account_takes_a_sas(world):
    source = world.block_blob(world.container(world.other), data=b"from the other account")
    destination = world.container().get_blob_client("copy")
    with refused(401):
        destination.start_copy_from_url(source.url)
    destination.start_copy_from_url(readable(source))
    settled(destination)
    equal(destination.download_blob().readall(), b"from the other account")


@check
def a_missing_source_is_refused(world):
    container = world.container()
    missing = container.get_blob_client("missing")
    # The key reads it, and is told as a reader is.
    with refused(404, "BlobNotFound"):
        container.get_blob_client("copy").start_copy_from_url(missing.url)


@check
def source_and_destination_conditions_are_kept(world):
    container = world.container()
    source = world.block_blob(container, "source")
    destination = world.block_blob(container, "destination")
    with refused(412, "SourceConditionNotMet"):
        destination.start_copy_from_url(
            source.url, source_etag='"0x1"', source_match_condition=MatchConditions.IfNotModified
        )
    with refused(412):
        destination.start_copy_from_url(
            source.url, etag='"0x1"', match_condition=MatchConditions.IfNotModified
        )
    with refused(409, "BlobAlreadyExists"):
        destination.start_copy_from_url(source.url, match_condition=MatchConditions.IfMissing)


@check
def an_aborted_copy_leaves_an_empty_blob(world):
    destination, copy_id = endless_copy(world)
    equal(destination.get_blob_properties().copy.status, "pending")
    destination.abort_copy(copy_id)
    aborted = destination.get_blob_properties()
    equal((aborted.copy.status, aborted.copy.id, aborted.size), ("aborted", copy_id, 0))
    assert aborted.copy.completion_time


@check
def abort_asks_for_the_pending_copy_by_its_id(world):
    destination, copy_id = endless_copy(world)
    with refused(409, "CopyIdMismatch"):
        destination.abort_copy("00000000-0000-0000-0000-000000000000")
    destination.abort_copy(copy_id)
    with refused(409, "NoPendingCopyOperation"):
        destination.abort_copy(copy_id)


@check
def a_pending_destination_takes_no_writes(world):
    destination, copy_id = endless_copy(world)
    source = world.page_blob(world.container())
    for write in (
        lambda: destination.upload_page(b"b" * PAGE, offset=0, length=PAGE),
        lambda: destination.set_blob_metadata({"day": "1"}),
        lambda: destination.create_snapshot(),
        lambda: destination.delete_blob(),
        lambda: destination.start_copy_from_url(source.url),
    ):
        with refused(409, "PendingCopyOperation"):
            write()
    destination.abort_copy(copy_id)


@check
def a_write_forgets_the_copy(world):
    container = world.container()
    source = world.block_blob(container)
    destination = container.get_blob_client("copy")
    destination.start_copy_from_url(source.url)
    assert settled(destination).copy.id
    destination.upload_blob(b"written anew", overwrite=True)
    equal(destination.get_blob_properties().copy.id, None)
