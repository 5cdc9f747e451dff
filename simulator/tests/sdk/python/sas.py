"""Shared access signatures of the three kinds, and the key of the third."""

from datetime import datetime, timedelta, timezone

from azure.storage.blob import (
    AccessPolicy,
    AccountSasPermissions,
    BlobClient,
    BlobSasPermissions,
    ContainerClient,
    ContainerSasPermissions,
    ResourceTypes,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)

from kit import at_snapshot, check, equal, in_an_hour, key_of, over_https, refused, settled


def blob_with(blob, sas, **options):
    return BlobClient.from_blob_url(f"{blob.url.split('?')[0]}?{sas}", retry_total=0, **options)


def blob_sas(blob, key=None, **options):
    options = {"permission": BlobSasPermissions(read=True), "expiry": in_an_hour(), **options}
    credential = {"user_delegation_key": key} if key else {"account_key": key_of(blob)}
    return generate_blob_sas(
        blob.account_name, blob.container_name, blob.blob_name, **credential, **options
    )


@check
def an_account_sas_does_what_it_says(world):
    container = world.container()
    blob = world.block_blob(container)
    sas = generate_account_sas(
        world.service.account_name,
        key_of(world.service),
        ResourceTypes(container=True, object=True),
        AccountSasPermissions(read=True, list=True),
        in_an_hour(),
    )
    url = f"{container.url}?{sas}"
    equal([found.name for found in ContainerClient.from_container_url(url).list_blobs()], ["notes.txt"])
    equal(blob_with(blob, sas).download_blob().readall(), b"some notes")
    with refused(403, "AuthorizationPermissionMismatch"):
        blob_with(blob, sas).delete_blob()


@check
def an_account_sas_keeps_to_its_resource_types(world):
    blob = world.block_blob(world.container())
    sas = generate_account_sas(
        world.service.account_name,
        key_of(world.service),
        ResourceTypes(container=True),
        AccountSasPermissions(read=True),
        in_an_hour(),
    )
    with refused(403, "AuthorizationResourceTypeMismatch"):
        blob_with(blob, sas).download_blob()


@check
def a_service_sas_of_a_blob_is_for_that_blob(world):
    container = world.container()
    blob, other = world.block_blob(container), world.block_blob(container, "other")
    equal(blob_with(blob, blob_sas(blob)).download_blob().readall(), b"some notes")
    with refused(403, "AuthenticationFailed"):
        blob_with(other, blob_sas(blob)).download_blob()
    with refused(403, "AuthorizationPermissionMismatch"):
        blob_with(blob, blob_sas(blob)).set_blob_metadata({"a": "b"})


@check
def a_service_sas_of_a_container_lists_and_writes(world):
    container = world.container()
    sas = generate_container_sas(
        container.account_name,
        container.container_name,
        account_key=key_of(container),
        permission=ContainerSasPermissions(read=True, write=True, list=True),
        expiry=in_an_hour(),
    )
    client = ContainerClient.from_container_url(f"{container.url}?{sas}")
    client.upload_blob("new", b"made by sas")
    equal([blob.name for blob in client.list_blobs()], ["new"])
    equal(client.download_blob("new").readall(), b"made by sas")


@check
def a_service_sas_of_a_snapshot_is_for_that_snapshot(world):
    blob = world.block_blob(world.container(), data=b"then")
    snapshot = blob.create_snapshot()["snapshot"]
    blob.upload_blob(b"now", overwrite=True)
    sas = blob_sas(blob, snapshot=snapshot)
    equal(blob_with(blob, sas, snapshot=snapshot).download_blob().readall(), b"then")
    with refused(403):
        blob_with(blob, sas).download_blob()


@check
def a_service_sas_goes_by_a_stored_policy(world):
    container = world.container()
    blob = world.block_blob(container)
    policy = AccessPolicy(ContainerSasPermissions(read=True), expiry=in_an_hour())
    container.set_container_access_policy(signed_identifiers={"readers": policy})
    sas = blob_sas(blob, permission=None, expiry=None, policy_id="readers")
    equal(blob_with(blob, sas).download_blob().readall(), b"some notes")
    container.set_container_access_policy(signed_identifiers={})
    with refused(403):
        blob_with(blob, sas).download_blob()


@check
def a_sas_is_refused_when_its_time_or_address_is_another(world):
    blob = world.block_blob(world.container())
    past = datetime.now(timezone.utc) - timedelta(minutes=1)
    with refused(403, "AuthenticationFailed"):
        blob_with(blob, blob_sas(blob, expiry=past)).download_blob()
    with refused(403, "AuthenticationFailed"):
        blob_with(blob, blob_sas(blob, start=in_an_hour() - timedelta(minutes=1))).download_blob()
    with refused(403, "AuthorizationSourceIPMismatch"):
        blob_with(blob, blob_sas(blob, ip="203.0.113.1")).download_blob()
    with refused(403, "AuthorizationProtocolMismatch"):
        blob_with(blob, blob_sas(blob, protocol="https")).download_blob()


@check
def a_sas_sets_the_headers_of_the_answer(world):
    blob = world.block_blob(world.container())
    sas = blob_sas(blob, content_type="text/x-notes", content_disposition="attachment")
    answered = blob_with(blob, sas).download_blob().properties.content_settings
    equal((answered.content_type, answered.content_disposition), ("text/x-notes", "attachment"))


@check
def a_damaged_signature_is_refused(world):
    blob = world.block_blob(world.container())
    damaged = blob_sas(blob).replace("sig=", "sig=AAAA")
    with refused(403, "AuthenticationFailed"):
        blob_with(blob, damaged).download_blob()


def delegation_key(world):
    now = datetime.now(timezone.utc)
    return world.secure.get_user_delegation_key(now - timedelta(minutes=1), now + timedelta(hours=2))


@over_https
@check
def a_bearer_token_reads_and_writes(world):
    container = world.container(world.secure)
    blob = world.block_blob(container)
    equal(blob.download_blob().readall(), b"some notes")


@over_https
@check
def a_user_delegation_key_signs_a_sas(world):
    blob = world.block_blob(world.container())
    key = delegation_key(world)
    equal((key.signed_service, bool(key.value), bool(key.signed_oid)), ("b", True, True))
    sas = blob_sas(blob, key)
    equal(blob_with(blob, sas).download_blob().readall(), b"some notes")
    with refused(403, "AuthorizationPermissionMismatch"):
        blob_with(blob, sas).delete_blob()


@over_https
@check
def a_user_delegation_sas_of_a_container_lists(world):
    container = world.container()
    world.block_blob(container)
    sas = generate_container_sas(
        container.account_name,
        container.container_name,
        user_delegation_key=delegation_key(world),
        permission=ContainerSasPermissions(list=True),
        expiry=in_an_hour(),
    )
    client = ContainerClient.from_container_url(f"{container.url}?{sas}")
    equal([blob.name for blob in client.list_blobs()], ["notes.txt"])


@over_https
@check
def a_user_delegation_sas_authorizes_the_source_of_a_copy(world):
    source = world.page_blob(world.container())
    snapshot = source.create_snapshot()["snapshot"]
    sas = blob_sas(source, delegation_key(world))
    destination = world.container(world.other).get_blob_client("backup.vhd")
    url = at_snapshot(source, snapshot).url
    destination.start_copy_from_url(f"{url}&{sas}", incremental_copy=True)
    equal(settled(destination).copy.status, "success")


@check
def a_user_delegation_key_takes_a_bearer_token(world):
    with refused(403, "AuthenticationFailed"):
        now = datetime.now(timezone.utc)
        world.service.get_user_delegation_key(now, now + timedelta(hours=1))
