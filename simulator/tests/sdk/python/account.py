"""What concerns an account: batches, information on it, the properties of its blob service."""

from azure.storage.blob import (
    ContainerClient,
    ContainerSasPermissions,
    PartialBatchErrorException,
    RetentionPolicy,
    generate_container_sas,
)

from kit import check, equal, in_an_hour, key_of


def with_sas(container):
    """A client of the same container, authorized by a SAS of it."""
    sas = generate_container_sas(
        container.account_name,
        container.container_name,
        account_key=key_of(container),
        permission=ContainerSasPermissions(read=True, write=True, delete=True),
        expiry=in_an_hour(),
    )
    return ContainerClient.from_container_url(f"{container.url}?{sas}", retry_total=0)


def statuses(answers):
    return [answer.status_code for answer in answers]


@check
def batches_set_tiers_and_delete(world):
    container = world.container()
    for client in (container, with_sas(container)):
        names = ["a", "b c", "\u00e9/x"]
        for name in names:
            world.block_blob(container, name)
        equal(statuses(client.set_standard_blob_tier_blobs("Cool", *names)), [200, 200, 200])
        equal(container.get_blob_client("b c").get_blob_properties().blob_tier, "Cool")
        equal(statuses(client.delete_blobs(*names)), [202, 202, 202])
    world.block_blob(container, "a")
    try:
        container.delete_blobs("missing", "a")
    except PartialBatchErrorException as error:
        equal(statuses(error.parts), [404, 202])
    equal(list(container.list_blob_names()), [])


@check
def an_account_tells_what_it_is_to_a_sas_too(world):
    container = world.container()
    for client in (world.service, container, with_sas(container)):
        equal(client.get_account_information()["account_kind"], "StorageV2")


@check
def service_properties_are_kept(world):
    world.service.set_service_properties(delete_retention_policy=RetentionPolicy(True, 5))
    equal(world.service.get_service_properties()["delete_retention_policy"].days, 5)
