// Listings: flat and by hierarchy, in pages, with copies, snapshots, metadata and tags.
"use strict";

const { ENDLESS, all, assert, check, readable, refused, settled } = require("./kit");

check("blobs are listed in order and in pages", async (world) => {
  const container = await world.container();
  for (const name of ["b", "a/2", "a/1", "B"]) await world.blockBlob(container, { name });
  const names = (await all(container.listBlobsFlat())).map(({ name }) => name);
  assert.deepEqual(names, ["B", "a/1", "a/2", "b"]);
  const batches = await all(container.listBlobsFlat().byPage({ maxPageSize: 3 }));
  assert.deepEqual(batches.map(({ segment }) => segment.blobItems.length), [3, 1]);
});

check("a hierarchy shows folders once", async (world) => {
  const container = await world.container();
  for (const name of ["a/1", "a/2", "b"]) await world.blockBlob(container, { name });
  const found = await all(container.listBlobsByHierarchy("/"));
  assert.deepEqual(found.map(({ kind, name }) => [kind, name]), [["prefix", "a/"], ["blob", "b"]]);
});

check("metadata, tags and snapshots are listed when asked for", async (world) => {
  const container = await world.container();
  const blob = await world.blockBlob(container, { metadata: { day: "1" }, tags: { kind: "note" } });
  const { snapshot } = await blob.createSnapshot();
  assert.equal((await all(container.listBlobsFlat())).length, 1);
  const include = { includeMetadata: true, includeSnapshots: true, includeTags: true };
  const [then, now] = await all(container.listBlobsFlat(include));
  assert.equal(then.snapshot, snapshot);
  assert.deepEqual([now.metadata, now.tags], [{ day: "1" }, { kind: "note" }]);
});

check("pending and finished copies are listed", async (world) => {
  const container = await world.container();
  const large = await world.pageBlob(container, { name: "large", size: ENDLESS });
  const pending = container.getPageBlobClient("pending");
  const poller = await pending.beginCopyFromURL(large.url);
  const small = await world.blockBlob(container, { name: "small" });
  await (await container.getBlobClient("done").beginCopyFromURL(small.url, { intervalInMs: 20 })).pollUntilDone();
  const listed = await all(container.listBlobsFlat({ includeCopy: true }));
  const status = listed.map(({ name, properties }) => [name, properties.copyStatus]);
  assert.deepEqual(status, [
    ["done", "success"],
    ["large", undefined],
    ["pending", "pending"],
    ["small", undefined],
  ]);
  await pending.abortCopyFromURL(poller.getOperationState().copyId);
});

check("incremental copies are listed with their snapshots", async (world) => {
  const source = await world.pageBlob(await world.container());
  const { snapshot } = await source.createSnapshot();
  const container = await world.container();
  const destination = container.getPageBlobClient("backup.vhd");
  await destination.startCopyIncremental(await readable(source, snapshot));
  const { destinationSnapshot } = await settled(destination);
  const found = await all(container.listBlobsFlat({ includeCopy: true, includeSnapshots: true }));
  assert.deepEqual(found.map((blob) => blob.snapshot), [destinationSnapshot, undefined]);
  assert.deepEqual(found.map(({ properties }) => properties.incrementalCopy), [true, true]);
});

check("containers are listed by prefix", async (world) => {
  const { containerName: prefix } = await world.container();
  const found = await all(world.service.listContainers({ prefix }));
  assert.deepEqual(found.map(({ name }) => name), [prefix]);
});

check("a missing container cannot be listed", async (world) => {
  const missing = world.service.getContainerClient("missing");
  await refused(all(missing.listBlobsFlat()), 404, "ContainerNotFound");
});
