// Incremental Copy Blob: each copy brings what changed, and leaves a snapshot.
"use strict";

const { KIB, PAGE, assert, check, content, page, pages, readable, refused, settled } = require("./kit");

/** Copies a new snapshot of the source, and returns the properties of the destination then. */
async function copy(destination, source) {
  const { snapshot } = await source.createSnapshot();
  const started = await destination.startCopyIncremental(await readable(source, snapshot));
  assert.equal(started.copyStatus, "pending");
  const found = await settled(destination);
  assert.deepEqual([found.copyStatus, found.copyId], ["success", started.copyId]);
  return found;
}

check("an incremental copy ends with a snapshot of the destination", async (world) => {
  const source = await world.pageBlob(await world.container(world.other));
  const destination = (await world.container()).getPageBlobClient("backup.vhd");
  const found = await copy(destination, source);
  assert.equal(found.isIncrementalCopy, true);
  const backup = destination.withSnapshot(found.destinationSnapshot);
  assert.deepEqual(await content(backup), await content(source));
});

check("a second incremental copy adds a snapshot that differs by the changes", async (world) => {
  const source = await world.pageBlob(await world.container());
  const destination = (await world.container()).getPageBlobClient("backup.vhd");
  const earlier = (await copy(destination, source)).destinationSnapshot;
  await source.uploadPages(page("b"), 8 * PAGE, PAGE);
  const later = (await copy(destination, source)).destinationSnapshot;
  const backup = destination.withSnapshot(later);
  assert.deepEqual(await pages(backup.listPageRangesDiff(0, 64 * KIB, earlier)), ["8-8"]);
});

check("the destination of incremental copies cannot be read or written", async (world) => {
  const source = await world.pageBlob(await world.container());
  const destination = (await world.container()).getPageBlobClient("backup.vhd");
  await copy(destination, source);
  const code = "OperationNotAllowedOnIncrementalCopyBlob";
  await refused(destination.download(), 409, code);
  await refused(destination.uploadPages(page("b"), 0, PAGE), 409, code);
  await refused(destination.createSnapshot(), 409, code);
});

check("snapshots are copied in the order of their time", async (world) => {
  const source = await world.pageBlob(await world.container());
  const { snapshot } = await source.createSnapshot();
  const destination = (await world.container()).getPageBlobClient("backup.vhd");
  await copy(destination, source);
  await refused(destination.startCopyIncremental(await readable(source, snapshot)), 409);
});

check("only a snapshot is a source of an incremental copy", async (world) => {
  const source = await world.pageBlob(await world.container());
  const destination = (await world.container()).getPageBlobClient("backup.vhd");
  const started = destination.startCopyIncremental(await readable(source));
  await refused(started, 409, "IncrementalCopySourceMustBeSnapshot");
});
