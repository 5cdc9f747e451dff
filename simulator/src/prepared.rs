//! What a program puts into a simulator before its first request, as its options say.

use std::str::FromStr;

use crate::{GrantUrl, ManagedDisk, Simulator};

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
/// After these, `:policy` or `:snapshot` sets the [form of its URLs](GrantUrl), and `:token`
/// demands a bearer token beside the SAS.
///
/// ```
/// use blobcopy_simulator::{Disk, Simulator};
///
/// let sim = Simulator::builder().build();
/// "group/disk0:1048576:2".parse::<Disk>()?.put_into(&sim);
/// "group/disk1:1048576:2:snapshot:token".parse::<Disk>()?.put_into(&sim);
/// assert!("disk0:1048576:2".parse::<Disk>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    group: String,
    name: String,
    bytes: u64,
    snapshots: u32,
    urls: GrantUrl,
    needs_token: bool,
}

impl Disk {
    /// Makes the disk, and changes it before each of its snapshots.
    pub fn put_into(&self, simulator: &Simulator) {
        let disk = simulator.managed_disks().create(&self.group, &self.name, self.bytes);
        disk.grant_urls(self.urls);
        disk.require_bearer(self.needs_token);
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
        let wrong = || {
            "it is not GROUP/NAME:BYTES:SNAPSHOTS, and then :policy or :snapshot, :token".to_owned()
        };
        let (group, rest) = text.split_once('/').ok_or_else(wrong)?;
        let parts: Vec<&str> = rest.split(':').collect();
        let [name, bytes, snapshots, ref more @ ..] = parts[..] else { return Err(wrong()) };
        let (bytes, snapshots) = (number::<u64>(bytes)?, number(snapshots)?);
        if !bytes.is_multiple_of(512) || bytes > (4 << 40) {
            return Err("a managed disk has a multiple of 512 bytes, at most 4 TiB".to_owned());
        }
        let (mut urls, mut needs_token) = (GrantUrl::default(), false);
        for option in more {
            match *option {
                "policy" => urls = GrantUrl::BlobWithPolicy,
                "snapshot" => urls = GrantUrl::Snapshot,
                "token" => needs_token = true,
                _ => return Err(wrong()),
            }
        }
        let (group, name) = (group.to_owned(), name.to_owned());
        Ok(Self { group, name, bytes, snapshots, urls, needs_token })
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_disk_says_which_urls_it_gives_and_whether_it_demands_a_token() {
        for (options, part, needs_token) in [
            ("", "sp=r", false),
            (":policy", "si=", false),
            (":snapshot", "sr=bs", false),
            (":token:snapshot", "sr=bs", true),
        ] {
            let disk: Disk = format!("g/d:4096:1{options}").parse().expect(options);
            assert_eq!(disk.needs_token, needs_token);
            let sim = Simulator::builder().build();
            disk.put_into(&sim);
            let made = sim.managed_disks().get("g", "d").expect("made");
            let url = made.snapshots()[0].grant(Duration::from_secs(60)).expect("granted");
            assert!(url.as_str().contains(part), "{url}");
        }
        for bad in ["g/d:4096:1:", "g/d:4096:1:sas", "g/d:4096", "d:4096:1"] {
            assert!(bad.parse::<Disk>().is_err(), "{bad}");
        }
    }
}
