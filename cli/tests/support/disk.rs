//! A disk in a container, and files to put into it.

use std::path::PathBuf;

use super::World;

/// A folder that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("blobcopy-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("it can be written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl World {
    /// The containers `vhds` and `backups`, and a disk of 64 KiB in the first.
    pub(crate) fn with_disk(self) -> Self {
        let service = self.service();
        self.runtime.block_on(async {
            service.container_client("vhds").create().await.expect("a container");
            service.container_client("backups").create().await.expect("a container");
            let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
            disk.create(64 << 10).await.expect("a disk");
            disk.upload_pages(0, vec![1; 4096]).await.expect("data");
        });
        self
    }

    /// Writes so many bytes at an offset of the disk.
    pub(crate) fn change(&self, offset: u64, length: usize) {
        let disk = self.service().container_client("vhds").page_blob_client("disk0.vhd");
        let content = vec![7; length];
        self.runtime.block_on(async { disk.upload_pages(offset, content).await }).expect("written");
    }

    /// Takes a snapshot of the disk with the binary, and gives its time.
    pub(crate) fn snapshot(&self) -> String {
        let taken = self.good(&["snapshot", "vhds/disk0.vhd", "--output", "json"]);
        let taken: serde_json::Value = serde_json::from_str(&taken).expect("JSON");
        taken["snapshot"].as_str().expect("a time").to_owned()
    }
}
