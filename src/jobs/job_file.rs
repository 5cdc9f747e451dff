//! A job cut into ranges of names, for the workers of a fleet.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Fingerprint, Shard, order, shard::NameRange};
use crate::{CredentialError, Error, Result};

/// A job cut into ranges of names. One listing writes it, and every worker reads it: since no
/// worker computes a border, no two of them can disagree.
///
/// It is a small JSON file. The borders are names of blobs, in the order of UTF-16 code units, in
/// which accounts without a hierarchical namespace list them. New blobs belong to the range in
/// which their names lie.
///
/// ```
/// use blobcopy::jobs::JobFile;
///
/// let text = r#"{
///     "version": 1,
///     "job": {
///         "source": "https://acct.blob.core.windows.net/vhds",
///         "destination": "https://acct.blob.core.windows.net/backups",
///         "settings": "0123456789abcdef"
///     },
///     "in_order": true,
///     "borders": ["g", "p"]
/// }"#;
/// let file: JobFile = serde_json::from_str(text)?;
/// assert_eq!(file.count(), 3);
/// let second = file.shard(1)?;
/// assert!(second.holds("g") && second.holds("o/z") && !second.holds("p"));
/// assert_eq!(second.start_from(), Some("g"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct JobFile {
    version: u32,
    job: Fingerprint,
    /// Whether the source listed its names in the order of the borders.
    in_order: bool,
    borders: Vec<String>,
}

impl JobFile {
    /// The version of the file's form.
    const VERSION: u32 = 1;

    /// A file for the job with these borders, one less than there are shards.
    pub(crate) fn new(job: Fingerprint, in_order: bool, borders: Vec<String>) -> Result<Self> {
        let read = Unchecked { version: Self::VERSION, job, in_order, borders };
        read.try_into()
    }

    /// The job. Running it with other settings than these is an error.
    pub fn job(&self) -> &Fingerprint {
        &self.job
    }

    /// How many shards the file has.
    pub fn count(&self) -> u32 {
        u32::try_from(self.borders.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The shard with this index, from 0.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] unless `index` is less than [`count`](Self::count).
    pub fn shard(&self, index: u32) -> Result<Shard> {
        let at = index as usize;
        let range = NameRange {
            from: at.checked_sub(1).and_then(|before| self.borders.get(before)).cloned(),
            before: self.borders.get(at).cloned(),
            in_order: self.in_order,
        };
        Shard::checked(index, self.count(), Some(range))
    }
}

impl fmt::Debug for JobFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobFile")
            .field("job", &self.job)
            .field("in_order", &self.in_order)
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

/// A file as it is read, before its borders are checked.
#[derive(Deserialize)]
struct Unchecked {
    version: u32,
    job: Fingerprint,
    in_order: bool,
    borders: Vec<String>,
}

impl TryFrom<Unchecked> for JobFile {
    type Error = Error;

    fn try_from(read: Unchecked) -> Result<Self> {
        if read.version != Self::VERSION {
            let rule = "is not 1, the only version of job files that is known";
            return Err(Error::invalid("job file", read.version, rule));
        }
        if read.borders.len() >= Shard::MOST as usize {
            let rule = "is not less than 10000";
            return Err(Error::invalid("borders of the job file", read.borders.len(), rule));
        }
        if let Some(pair) =
            read.borders.windows(2).find(|pair| order::compare(&pair[0], &pair[1]).is_gt())
        {
            let rule = "must not be after the border that follows it";
            return Err(Error::invalid("border of the job file", &pair[0], rule));
        }
        let Unchecked { version, job, in_order, borders } = read;
        Ok(Self { version, job, in_order, borders })
    }
}

/// Finds borders while names are listed: it keeps every `step`-th of them, and every second of
/// those when they become too many. So it knows 64 names or more for each shard, whatever the
/// number of blobs, and a shard is within a few percent of its share.
#[derive(Debug)]
pub(crate) struct Borders {
    shards: usize,
    kept: Vec<String>,
    step: u64,
    seen: u64,
}

impl Borders {
    const KEPT_FOR_EACH: usize = 128;

    /// Looks for borders of so many shards, at most [`Shard::MOST`].
    pub(crate) fn new(shards: u32) -> Self {
        let shards = shards.clamp(1, Shard::MOST) as usize;
        Self { shards, kept: Vec::new(), step: 1, seen: 0 }
    }

    /// The listing has this name next.
    pub(crate) fn add(&mut self, name: &str) {
        // A name that looks like a secret is no border: the file is for other eyes too.
        if self.seen.is_multiple_of(self.step) && CredentialError::new(name).to_string() == name {
            self.kept.push(name.to_owned());
            if self.kept.len() > Self::KEPT_FOR_EACH * self.shards {
                let mut odd = false;
                self.kept.retain(|_| {
                    odd = !odd;
                    odd
                });
                self.step *= 2;
            }
        }
        self.seen += 1;
    }

    /// The borders, one less than there are shards. With fewer names than shards some are equal,
    /// and the shards between them empty.
    pub(crate) fn done(mut self) -> Vec<String> {
        self.kept.sort_by(|a, b| order::compare(a, b));
        let at = |shard| self.kept.get(shard * self.kept.len() / self.shards);
        (1..self.shards).map(|shard| at(shard).cloned().unwrap_or_default()).collect()
    }
}

#[cfg(test)]
#[path = "job_file_tests.rs"]
mod tests;
