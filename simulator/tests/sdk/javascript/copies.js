// Copy Blob with the SDK's poller: pending, resumed, aborted, and under conditions.
"use strict";

const { ENDLESS, KIB, all, assert, check, content, page, readable, refused } = require("./kit");

/** Looks at the copy often, since it takes a fraction of a second. */
const OFTEN = { intervalInMs: 20 };

/** A poller of a copy that does not end by itself, and its destination. */
async function endlessCopy(world) {
  const container = await world.container();
  const source = await world.pageBlob(container, { name: "source.vhd", size: ENDLESS });
  const destination = container.getPageBlobClient("destination.vhd");
  return { destination, poller: await destination.beginCopyFromURL(source.url, OFTEN) };
}

check("a poller sees a copy pending, moving and done", async (world) => {
  const container = await world.container();
  const source = await world.pageBlob(container, { size: 512 * KIB, metadata: { day: "1" } });
  const destination = container.getPageBlobClient("copy.vhd");
  const seen = [];
  const onProgress = ({ copyProgress }) => seen.push(copyProgress);
  const poller = await destination.beginCopyFromURL(source.url, { ...OFTEN, onProgress });
  assert.equal(poller.isDone(), false);
  const result = await poller.pollUntilDone();
  assert.equal(result.copyStatus, "success");
  assert.equal(result.copyProgress, `${512 * KIB}/${512 * KIB}`);
  assert.deepEqual(result.metadata, { day: "1" });
  assert(seen.length > 1, `progress was seen ${seen.length} times`);
  assert.deepEqual(await content(destination), await content(source));
});

check("a poller is taken up again from its state", async (world) => {
  const container = await world.container();
  const source = await world.pageBlob(container);
  const destination = container.getPageBlobClient("copy.vhd");
  const first = await destination.beginCopyFromURL(source.url, OFTEN);
  const resumeFrom = first.toString();
  first.stopPolling();
  const again = await destination.beginCopyFromURL(source.url, { ...OFTEN, resumeFrom });
  const result = await again.pollUntilDone();
  assert.equal(result.copyId, first.getOperationState().copyId);
});

check("a cancelled poller aborts the copy", async (world) => {
  const { destination, poller } = await endlessCopy(world);
  await poller.poll();
  await poller.cancelOperation();
  const found = await destination.getProperties();
  assert.deepEqual([found.copyStatus, found.contentLength], ["aborted", 0]);
  assert(found.copyCompletedOn);
});

check("abort asks for the pending copy by its id", async (world) => {
  const { destination, poller } = await endlessCopy(world);
  const { copyId } = poller.getOperationState();
  const unknown = "00000000-0000-0000-0000-000000000000";
  await refused(destination.abortCopyFromURL(unknown), 409, "CopyIdMismatch");
  await destination.abortCopyFromURL(copyId);
  await refused(destination.abortCopyFromURL(copyId), 409, "NoPendingCopyOperation");
});

check("a pending destination takes no writes", async (world) => {
  const { destination, poller } = await endlessCopy(world);
  for (const write of [
    () => destination.uploadPages(page("b"), 0, 512),
    () => destination.setMetadata({ day: "1" }),
    () => destination.createSnapshot(),
    () => destination.delete(),
  ]) {
    await refused(write(), 409, "PendingCopyOperation");
  }
  await destination.abortCopyFromURL(poller.getOperationState().copyId);
});

check("a copy from another account takes a SAS", async (world) => {
  const source = await world.blockBlob(await world.container(world.other), { data: "from afar" });
  const destination = (await world.container()).getBlobClient("copy");
  await refused(destination.beginCopyFromURL(source.url, OFTEN), 401);
  const poller = await destination.beginCopyFromURL(await readable(source), OFTEN);
  await poller.pollUntilDone();
  assert.equal((await content(destination)).toString(), "from afar");
});

check("a missing source is refused", async (world) => {
  const container = await world.container();
  const missing = container.getBlobClient("missing").url;
  const copy = container.getBlobClient("copy").beginCopyFromURL(missing, OFTEN);
  // The key reads it, and is told as a reader is.
  await refused(copy, 404, "BlobNotFound");
});

check("source and destination conditions are kept", async (world) => {
  const container = await world.container();
  const { url } = await world.blockBlob(container, { name: "source" });
  const destination = await world.blockBlob(container, { name: "destination" });
  const copy = (options) => destination.beginCopyFromURL(url, { ...OFTEN, ...options });
  await refused(copy({ sourceConditions: { ifMatch: '"0x1"' } }), 412, "SourceConditionNotMet");
  await refused(copy({ conditions: { ifMatch: '"0x1"' } }), 412);
  await refused(copy({ conditions: { ifNoneMatch: "*" } }), 409, "BlobAlreadyExists");
  assert.equal((await all(container.listBlobsFlat())).length, 2);
});
