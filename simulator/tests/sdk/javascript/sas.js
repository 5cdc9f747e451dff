// Shared access signatures of the three kinds, and the key of the third.
"use strict";

const {
  AccountSASPermissions,
  AccountSASResourceTypes,
  BlobClient,
  BlobSASPermissions,
  ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
} = require("@azure/storage-blob");
const { all, assert, check, content, inAnHour, readable, refused, settled } = require("./kit");

const withSas = (blob, sas) => new BlobClient(`${blob.url}?${sas}`);

check("an account SAS does what it says", async (world) => {
  const container = await world.container();
  const blob = await world.blockBlob(container);
  const url = world.service.generateAccountSasUrl(
    inAnHour(),
    AccountSASPermissions.parse("rl"),
    AccountSASResourceTypes.parse("co").toString(),
  );
  const sas = url.split("?")[1];
  const listed = await all(new ContainerClient(`${container.url}?${sas}`).listBlobsFlat());
  assert.deepEqual(listed.map(({ name }) => name), ["notes.txt"]);
  assert.equal((await content(withSas(blob, sas))).toString(), "some notes");
  await refused(withSas(blob, sas).delete(), 403, "AuthorizationPermissionMismatch");
});

check("a service SAS of a blob is for that blob", async (world) => {
  const container = await world.container();
  const blob = await world.blockBlob(container);
  const other = await world.blockBlob(container, { name: "other" });
  const url = await readable(blob);
  assert.equal((await content(new BlobClient(url))).toString(), "some notes");
  await refused(withSas(other, url.split("?")[1]).download(), 403, "AuthenticationFailed");
});

check("a service SAS of a container lists", async (world) => {
  const container = await world.container();
  await world.blockBlob(container);
  const permissions = ContainerSASPermissions.parse("l");
  const url = await container.generateSasUrl({ permissions, expiresOn: inAnHour() });
  assert.equal((await all(new ContainerClient(url).listBlobsFlat())).length, 1);
});

check("a service SAS goes by a stored policy", async (world) => {
  const container = await world.container();
  const blob = await world.blockBlob(container);
  const accessPolicy = { permissions: "r", expiresOn: inAnHour(), startsOn: new Date(0) };
  await container.setAccessPolicy(undefined, [{ id: "readers", accessPolicy }]);
  const url = await blob.generateSasUrl({ identifier: "readers" });
  assert.equal((await content(new BlobClient(url))).toString(), "some notes");
  await container.setAccessPolicy();
  await refused(new BlobClient(url).download(), 403);
});

check("a SAS that has expired is refused", async (world) => {
  const blob = await world.blockBlob(await world.container());
  const permissions = BlobSASPermissions.parse("r");
  const url = await blob.generateSasUrl({ permissions, expiresOn: new Date(Date.now() - 60e3) });
  await refused(new BlobClient(url).download(), 403, "AuthenticationFailed");
});

/** A SAS signed with a user delegation key, which the service issues to a bearer token. */
async function delegated(world, blob, permissions) {
  const key = await world.secure.getUserDelegationKey(new Date(Date.now() - 60e3), inAnHour());
  assert(key.value && key.signedObjectId);
  const { containerName, name: blobName } = blob;
  const values = { containerName, blobName, permissions, expiresOn: inAnHour() };
  return generateBlobSASQueryParameters(values, key, world.service.accountName);
}

check.overHttps("a user delegation key signs a SAS", async (world) => {
  const blob = await world.blockBlob(await world.container());
  const sas = await delegated(world, blob, BlobSASPermissions.parse("r"));
  assert.equal((await content(withSas(blob, sas))).toString(), "some notes");
  await refused(withSas(blob, sas).delete(), 403, "AuthorizationPermissionMismatch");
});

check.overHttps("a user delegation SAS authorizes the source of a copy", async (world) => {
  const source = await world.pageBlob(await world.container());
  const { snapshot } = await source.createSnapshot();
  const sas = await delegated(world, source, BlobSASPermissions.parse("r"));
  const destination = (await world.container(world.other)).getPageBlobClient("backup.vhd");
  await destination.startCopyIncremental(`${source.withSnapshot(snapshot).url}&${sas}`);
  assert.equal((await settled(destination)).copyStatus, "success");
});
