"""Leases of blobs, and what they keep others from."""

import uuid

from kit import PAGE, check, equal, refused


@check
def a_leased_blob_is_written_only_with_the_lease(world):
    blob = world.page_blob(world.container())
    lease = blob.acquire_lease(lease_duration=-1)
    page = {"page": b"b" * PAGE, "offset": 0, "length": PAGE}
    with refused(412, "LeaseIdMissing"):
        blob.upload_page(**page)
    with refused(412, "LeaseIdMismatchWithBlobOperation"):
        blob.upload_page(**page, lease=str(uuid.uuid4()))
    blob.upload_page(**page, lease=lease)
    properties = blob.get_blob_properties().lease
    equal((properties.status, properties.state, properties.duration), ("locked", "leased", "infinite"))


@check
def a_lease_is_renewed_changed_and_released(world):
    blob = world.block_blob(world.container())
    lease = blob.acquire_lease(lease_duration=15)
    equal(blob.get_blob_properties().lease.duration, "fixed")
    lease.renew()
    new_id = str(uuid.uuid4())
    lease.change(new_id)
    equal(lease.id, new_id)
    lease.release()
    equal(blob.get_blob_properties().lease.state, "available")


@check
def a_second_lease_is_refused(world):
    blob = world.block_blob(world.container())
    blob.acquire_lease()
    with refused(409, "LeaseAlreadyPresent"):
        blob.acquire_lease()


@check
def a_broken_lease_lets_others_in(world):
    blob = world.block_blob(world.container())
    lease = blob.acquire_lease()
    equal(lease.break_lease(lease_break_period=0), 0)
    equal(blob.get_blob_properties().lease.state, "broken")
    blob.upload_blob(b"anew", overwrite=True)


@check
def a_copy_into_a_leased_blob_takes_the_infinite_lease(world):
    container = world.container()
    source = world.block_blob(container, "source")
    destination = world.block_blob(container, "destination")
    lease = destination.acquire_lease()
    with refused(412, "LeaseIdMissing"):
        destination.start_copy_from_url(source.url)
    destination.start_copy_from_url(source.url, destination_lease=lease)
    finite = world.block_blob(container, "finite")
    lease = finite.acquire_lease(lease_duration=15)
    with refused(412, "InfiniteLeaseDurationRequired"):
        finite.start_copy_from_url(source.url, destination_lease=lease)


@check
def a_leased_source_is_copied_all_the_same(world):
    container = world.container()
    source = world.block_blob(container, "source")
    source.acquire_lease()
    container.get_blob_client("copy").start_copy_from_url(source.url)
