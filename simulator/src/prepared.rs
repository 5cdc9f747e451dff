//! What a program puts into a simulator before its first request, as its options say.

use std::str::FromStr;

use crate::{ManagedDisk, Simulator};

/// Blobs for a container, parsed from `[ACCOUNT/]CONTAINER:COUNT:BYTES`.
///
/// ```
/// use blobcopy_simulator::{Fill, Simulator};
///
/// let sim = Simulator::builder().build();
/// "source:3:1024".parse::<Fill>()?.put_into(&sim)?;
/// assert!("source:many:1024".parse::<Fill>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    account: Option<String>,
    container: String,
    count: usize,
    bytes: usize,
}

impl Fill {
    /// Puts the blobs into the account that the text names, by default the first.
    ///
    /// # Errors
    ///
    /// The name of the account, if there is none of that name.
    pub fn put_into(&self, simulator: &Simulator) -> Result<(), String> {
        let first = simulator.accounts().next().unwrap_or_default();
        let account = self.account.as_deref().unwrap_or(first);
        if !simulator.accounts().any(|known| known == account) {
            return Err(account.to_owned());
        }
        simulator.fill(account, &self.container, self.count, self.bytes);
        Ok(())
    }
}

impl FromStr for Fill {
    /// What is wrong with the text, in words.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [place, count, bytes] = parts[..] else {
            return Err("it is not [ACCOUNT/]CONTAINER:COUNT:BYTES".to_owned());
        };
        let (account, container) = match place.split_once('/') {
            Some((account, container)) => (Some(account.to_owned()), container),
            None => (None, place),
        };
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(3..=63).contains(&container.len()) || !container.bytes().all(letter) {
            return Err(format!("{container:?} is no name of a container"));
        }
        let (count, bytes) = (number(count)?, number(bytes)?);
        Ok(Self { account, container: container.to_owned(), count, bytes })
    }
}

/// A managed disk with snapshots, parsed from `GROUP/NAME:BYTES:SNAPSHOTS`.
///
/// ```
/// use blobcopy_simulator::{Disk, Simulator};
///
/// let sim = Simulator::builder().build();
/// "group/disk0:1048576:2".parse::<Disk>()?.put_into(&sim);
/// assert!("disk0:1048576:2".parse::<Disk>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    group: String,
    name: String,
    bytes: u64,
    snapshots: u32,
}

impl Disk {
    /// Makes the disk, and changes it before each of its snapshots.
    pub fn put_into(&self, simulator: &Simulator) {
        let disk = simulator.managed_disks().create(&self.group, &self.name, self.bytes);
        for number in 0..self.snapshots {
            change(&disk, number);
            disk.snapshot(&format!("{}-{:03}", self.name, number + 1));
        }
    }
}

impl FromStr for Disk {
    /// What is wrong with the text, in words.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "it is not GROUP/NAME:BYTES:SNAPSHOTS".to_owned();
        let (group, rest) = text.split_once('/').ok_or_else(wrong)?;
        let parts: Vec<&str> = rest.split(':').collect();
        let [name, bytes, snapshots] = parts[..] else { return Err(wrong()) };
        let (bytes, snapshots) = (number::<u64>(bytes)?, number(snapshots)?);
        if !bytes.is_multiple_of(512) || bytes > (4 << 40) {
            return Err("a managed disk has a multiple of 512 bytes, at most 4 TiB".to_owned());
        }
        Ok(Self { group: group.to_owned(), name: name.to_owned(), bytes, snapshots })
    }
}

/// Writes to a few places of a disk, others in each round, and clears one.
fn change(disk: &ManagedDisk, round: u32) {
    const EXTENT: u64 = 64 << 10;
    let extents = (disk.size() / EXTENT).max(1);
    let place = |at: u64| (u64::from(round) * 7919 + at * 104_729) % extents * EXTENT;
    let length = disk.size().min(EXTENT);
    for at in 0..8 {
        let byte = u8::try_from((u64::from(round) * 8 + at) % 255).unwrap_or_default() + 1;
        disk.write(place(at), &vec![byte; usize::try_from(length).unwrap_or_default()]);
    }
    disk.clear(place(3)..place(3) + length);
}

fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}
