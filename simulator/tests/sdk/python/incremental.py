"""Incremental Copy Blob: each copy brings what changed, and leaves a snapshot."""

from kit import KIB, PAGE, at_snapshot, check, equal, readable, refused, settled


def copy(destination, source, snapshot):
    """Copies a snapshot of the source, and returns the properties of the destination then."""
    started = destination.start_copy_from_url(readable(source, snapshot), incremental_copy=True)
    equal(started["copy_status"], "pending")
    copied = settled(destination)
    equal((copied.copy.status, copied.copy.id), ("success", started["copy_id"]))
    return copied


@check
def an_incremental_copy_ends_with_a_snapshot_of_the_destination(world):
    source = world.page_blob(world.container(), metadata={"day": "1"})
    destination = world.container().get_blob_client("backup.vhd")
    copied = copy(destination, source, source.create_snapshot()["snapshot"])
    equal(copied.copy.incremental_copy, True)
    equal(copied.metadata, {"day": "1"})
    equal(copied.size, 64 * KIB)
    backup = at_snapshot(destination, copied.copy.destination_snapshot)
    equal(backup.download_blob().readall(), source.download_blob().readall())


@check
def a_second_incremental_copy_adds_a_snapshot_that_differs_by_the_changes(world):
    source = world.page_blob(world.container())
    destination = world.container().get_blob_client("backup.vhd")
    first = copy(destination, source, source.create_snapshot()["snapshot"])
    source.upload_page(b"b" * PAGE, offset=8 * PAGE, length=PAGE)
    second = copy(destination, source, source.create_snapshot()["snapshot"])
    earlier, later = first.copy.destination_snapshot, second.copy.destination_snapshot
    assert earlier < later
    changed = at_snapshot(destination, later).list_page_ranges(previous_snapshot=earlier)
    equal([(page.start, page.end) for page in changed], [(8 * PAGE, 9 * PAGE - 1)])


@check
def an_incremental_copy_from_another_account_takes_a_sas(world):
    source = world.page_blob(world.container(world.other))
    snapshot = source.create_snapshot()["snapshot"]
    destination = world.container().get_blob_client("backup.vhd")
    with refused(401):
        destination.start_copy_from_url(
            at_snapshot(source, snapshot).url, incremental_copy=True
        )
    copy(destination, source, snapshot)


@check
def the_destination_itself_cannot_be_read_or_written(world):
    source = world.page_blob(world.container())
    destination = world.container().get_blob_client("backup.vhd")
    copy(destination, source, source.create_snapshot()["snapshot"])
    for act in (
        lambda: destination.download_blob(),
        lambda: destination.upload_page(b"b" * PAGE, offset=0, length=PAGE),
        lambda: destination.create_snapshot(),
        lambda: destination.set_blob_metadata({"day": "2"}),
    ):
        with refused(409, "OperationNotAllowedOnIncrementalCopyBlob"):
            act()


@check
def snapshots_are_copied_in_the_order_of_their_time(world):
    source = world.page_blob(world.container())
    earlier, later = (source.create_snapshot()["snapshot"] for _ in range(2))
    destination = world.container().get_blob_client("backup.vhd")
    copy(destination, source, later)
    with refused(409):
        destination.start_copy_from_url(readable(source, earlier), incremental_copy=True)


@check
def only_a_snapshot_of_a_page_blob_is_a_source(world):
    container = world.container()
    page_blob, block_blob = world.page_blob(container), world.block_blob(container)
    destination = container.get_blob_client("backup.vhd")
    with refused(409, "IncrementalCopySourceMustBeSnapshot"):
        destination.start_copy_from_url(readable(page_blob), incremental_copy=True)
    snapshot = block_blob.create_snapshot()["snapshot"]
    with refused(409, "InvalidSourceBlobType"):
        destination.start_copy_from_url(readable(block_blob, snapshot), incremental_copy=True)


@check
def a_destination_belongs_to_its_source_for_good(world):
    container = world.container()
    source, stranger = world.page_blob(container, "one"), world.page_blob(container, "two")
    destination = container.get_blob_client("backup.vhd")
    copy(destination, source, source.create_snapshot()["snapshot"])
    with refused(409, "IncrementalCopyBlobMismatch"):
        snapshot = stranger.create_snapshot()["snapshot"]
        destination.start_copy_from_url(readable(stranger, snapshot), incremental_copy=True)
