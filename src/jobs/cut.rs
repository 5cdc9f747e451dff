//! Cutting a job into ranges of names.

use std::future::poll_fn;

use super::{
    CopyJob, JobFile, Shard, Skipped,
    decide::untouchable,
    feed::{Feed, Head, Listing},
    job_file::Borders,
};
use crate::{BlobInclude, Error, Result, transport::BoxFuture};

/// Cuts a job: returned by [`CopyJob::cut`].
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug)]
pub struct CutJob {
    job: CopyJob,
    shards: u32,
}

impl CutJob {
    pub(crate) fn new(job: CopyJob, shards: u32) -> Self {
        Self { job, shards }
    }

    async fn run(self) -> Result<JobFile> {
        Shard::new(0, self.shards)?;
        let shared = self.job.shared();
        self.job.check_safety(&shared)?;
        let mut feed = Feed::new(Listing {
            container: shared.from.clone(),
            prefix: shared.settings.prefix.clone(),
            include: vec![BlobInclude::Metadata],
            told: Vec::new(),
            may_be_missing: false,
            shard: None,
            to_source: None,
        });
        let mut borders = Borders::new(self.shards);
        let mut in_order = true;
        loop {
            let head = poll_fn(|cx| {
                let _ = feed.poll_ahead(cx)?;
                feed.poll_head(cx)
            });
            match head.await? {
                Head::End => break,
                Head::Blob => {}
                Head::OutOfOrder => in_order = false,
            }
            if let Some(item) = feed.take() {
                // An account that has directories lists path by path, whatever names it has today.
                in_order &= untouchable(&item) != Some(Skipped::Directory);
                borders.add(&item.name);
            }
        }
        JobFile::new(self.job.fingerprint()?, in_order, borders.done())
    }
}

impl IntoFuture for CutJob {
    type Output = Result<JobFile>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// # Parts
impl CopyJob {
    /// Cuts the job into `shards` ranges of names, by one listing of the source.
    ///
    /// Awaiting it gives a [`JobFile`], from which each worker takes its part with
    /// [`part_of`](Self::part_of). [`InvalidInput`](Error::InvalidInput) unless `shards` is 1 to
    /// [`Shard::MOST`].
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{CopyJob, Outcome};
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let job = CopyJob::new(&vhds, &backups);
    /// let file = job.cut(2).await?;
    /// let report = job.part_of(&file, 1)?.run().await?;
    /// assert_eq!(report.count(Outcome::Copied), 1);
    /// # Ok(()) });
    /// ```
    pub fn cut(&self, shards: u32) -> CutJob {
        CutJob::new(self.clone(), shards)
    }

    /// The shard `index`, from 0, of a job that was cut.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the file is of another job, or has no such shard.
    pub fn part_of(&self, file: &JobFile, index: u32) -> Result<Self> {
        let own = self.fingerprint()?;
        if *file.job() != own {
            let rule = format!("is the file of another job than {own}");
            return Err(Error::invalid("job file", file.job(), &rule));
        }
        Ok(self.clone().shard(file.shard(index)?))
    }
}
