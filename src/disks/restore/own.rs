//! What a restore must never write to.

use crate::{
    BlobProperties, CopyId, CopySourceUrl, CopyState, CopyStatus, Error, ErrorCode, PageBlobClient,
    Result,
    disks::{Chain, MirrorError, lineage::Lineage, lock::Lock},
};

/// The blobs of a mirror.
#[derive(Debug, Clone)]
pub(super) struct Own<'a> {
    pub(super) destination: &'a PageBlobClient,
    pub(super) chain: &'a Chain,
    /// The source, if it is known.
    pub(super) source: Option<&'a PageBlobClient>,
}

impl Own<'_> {
    /// Looks at the target of a restore, and refuses one that belongs to the mirror or to another.
    pub(super) async fn look(
        &self,
        target: &PageBlobClient,
    ) -> Result<Option<BlobProperties>, MirrorError> {
        if target.snapshot().is_some() || target.version_id().is_some() {
            let why = "is a snapshot or version: restore to a blob";
            return Err(MirrorError::refused(target.name(), why));
        }
        if self.has_name_of(target)? {
            return Err(refused(target));
        }
        if let Some(other) = kept_by(target).await? {
            let why = format!("{other} is the destination of a mirror, which keeps this name");
            return Err(MirrorError::refused(target.name(), format!("{why}: choose another")));
        }
        for _ in 0..LOOKS {
            let Some(found) = properties(target).await? else { return Ok(None) };
            if found.is_incremental_copy
                || Lineage::is_on(&found.metadata)
                || is_of_mirror(target).await?
            {
                let why = "is the destination of a mirror: restore to another blob";
                return Err(MirrorError::refused(target.name(), why));
            }
            match self.is_alias(target, &found).await? {
                Some(true) => return Err(refused(target)),
                Some(false) => return Ok(Some(found)),
                None => {}
            }
        }
        let why = "may be a blob of the mirror under another address, and is written all the time";
        Err(MirrorError::not_now(target.name(), why))
    }

    /// Whether its address says that it is a blob of the mirror.
    fn has_name_of(&self, target: &PageBlobClient) -> Result<bool> {
        let is_of_chain = is_same_container(self.destination, target)
            && (Chain::generation_of(self.destination.name(), target.name()).is_some()
                || target.name() == self.marker());
        let is_source = self.source.is_some_and(|source| {
            is_same_container(source, target) && source.name() == target.name()
        });
        let noted = self.noted_sources();
        Ok(is_of_chain || is_source || noted.iter().any(|state| target.is_source_of(state)))
    }

    fn marker(&self) -> String {
        format!("{}{}", self.destination.name(), Lock::SUFFIX)
    }

    /// The sources that the destination itself names: of its last copy, or in its metadata.
    fn noted_sources(&self) -> Vec<CopyState> {
        let Some(base) = self.chain.base() else { return Vec::new() };
        let copied = base.copy.as_ref().and_then(|copy| copy.source.as_ref());
        let copied = copied.map(|source| source.expose().to_owned());
        let lineage = Lineage::read(&base.metadata).map(|lineage| lineage.source);
        let urls = copied.into_iter().chain(lineage);
        urls.filter_map(|url| {
            let bare = url.split_once('?').map_or(url.as_str(), |(bare, _)| bare);
            let mut state = CopyState::new(CopyId::from_service("source")?, CopyStatus::Success);
            state.source = Some(CopySourceUrl::new(bare));
            Some(state)
        })
        .collect()
    }

    /// Whether the target is a blob of the mirror that has another host name here. `None` if it
    /// cannot be known, since the blob is being written.
    async fn is_alias(
        &self,
        target: &PageBlobClient,
        found: &BlobProperties,
    ) -> Result<Option<bool>> {
        let name = target.name();
        let container = self.destination.container_client();
        let is_of_chain =
            Chain::generation_of(self.destination.name(), name).is_some() || name == self.marker();
        let of_chain = is_of_chain.then(|| container.page_blob_client(name));
        let source = self.source.filter(|source| source.name() == name).cloned();
        for own in of_chain.into_iter().chain(source) {
            let Some(before) = properties(&own).await? else { continue };
            if before.created_on != found.created_on {
                continue;
            }
            if before.etag == found.etag {
                return Ok(Some(true));
            }
            // Written in between?
            let again = properties(target).await?.and_then(|found| found.etag);
            if again != found.etag {
                return Ok(None);
            }
        }
        Ok(Some(false))
    }
}

/// The mirror's destination beside the target that keeps this name for its lock or for a later
/// generation.
async fn kept_by(target: &PageBlobClient) -> Result<Option<String>, MirrorError> {
    let name = target.name();
    let generation = name.rsplit_once(".g").map(|(stem, _)| stem);
    let generation = generation.filter(|stem| Chain::generation_of(stem, name) > Some(1));
    let stem = name.strip_suffix(Lock::SUFFIX).or(generation).filter(|stem| !stem.is_empty());
    let Some(stem) = stem else { return Ok(None) };
    let is_kept = is_of_mirror(&target.container_client().page_blob_client(stem)).await?;
    Ok(is_kept.then(|| stem.to_owned()))
}

/// Whether a blob is a mirror's destination: one may have lost its metadata and have snapshots that
/// a mirror has made.
async fn is_of_mirror(blob: &PageBlobClient) -> Result<bool, MirrorError> {
    match Chain::read(blob).await {
        Ok(chain) => Ok(chain.route.is_some()),
        // Who may not list may write still.
        Err(error) if error.as_call().and_then(Error::status).is_some_and(|it| it == 403) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// How often a target is looked at that changes.
const LOOKS: u32 = 5;

fn refused(target: &PageBlobClient) -> MirrorError {
    let why = "is the source or destination of the mirror: restore to another blob";
    MirrorError::refused(target.name(), why)
}

fn is_same_container(one: &PageBlobClient, other: &PageBlobClient) -> bool {
    one.container_name() == other.container_name()
        && one.container_client().is_same_account(&other.container_client())
}

async fn properties(blob: &PageBlobClient) -> Result<Option<BlobProperties>> {
    match blob.get_properties().await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
