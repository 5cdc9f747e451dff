//! Random sequences of operations on a page blob, compared with the simplest model of it: a list of
//! pages, and a copy of that list for each snapshot.

use std::env;

use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestCaseResult};

use super::kit::{Kit, Reply};
use crate::Simulator;

/// Two leaves of the tree in which the simulator keeps pages.
const PAGES: usize = 128;
const LENGTH: usize = PAGES * 512;

const DISK: &str = "/one/disk";
const COPY: &str = "/one/copy";
const BACKUP: &str = "/one/backup";

#[derive(Debug, Clone)]
enum Action {
    Write {
        first: usize,
        count: usize,
        byte: u8,
    },
    Clear {
        first: usize,
        count: usize,
    },
    Resize {
        pages: usize,
    },
    Snapshot,
    DeleteSnapshot(Index),
    /// Replaces the base blob with an empty one.
    Recreate,
    /// Copies a snapshot over its base blob.
    Restore(Index),
    /// Copies the base blob to another blob, which is then deleted.
    CopyAside,
    Incremental(Index),
    /// Deletes the destination of the incremental copies.
    Abandon,
    Compare(Index, Index),
}

/// A page that was ever written: when it was last written or cleared, and its content.
type Page = Option<(u32, Option<u8>)>;

#[derive(Debug, Clone, PartialEq)]
struct Version {
    /// As many as the blob can have.
    pages: Vec<Page>,
    /// As many as it has.
    length: usize,
    /// Changes whenever the blob is replaced.
    generation: u32,
}

#[derive(Debug)]
struct Backup {
    generation: u32,
    last: String,
    snapshots: Vec<(String, Vec<Page>)>,
}

struct Model {
    kit: Kit,
    base: Version,
    snapshots: Vec<(String, Version)>,
    backup: Option<Backup>,
    clock: u32,
}

fn action() -> impl Strategy<Value = Action> {
    let run = || (0..PAGES).prop_flat_map(|first| (Just(first), 1..=(PAGES - first).min(80)));
    prop_oneof![
        6 => (run(), 1_u8..)
            .prop_map(|((first, count), byte)| Action::Write { first, count, byte }),
        3 => run().prop_map(|(first, count)| Action::Clear { first, count }),
        1 => (1..=PAGES).prop_map(|pages| Action::Resize { pages }),
        4 => Just(Action::Snapshot),
        1 => any::<Index>().prop_map(Action::DeleteSnapshot),
        1 => Just(Action::Recreate),
        1 => any::<Index>().prop_map(Action::Restore),
        1 => Just(Action::CopyAside),
        4 => any::<Index>().prop_map(Action::Incremental),
        1 => Just(Action::Abandon),
        3 => any::<(Index, Index)>().prop_map(|(one, other)| Action::Compare(one, other)),
    ]
}

/// Fewer outside CI, to keep local runs short.
fn cases() -> u32 {
    if env::var_os("CI").is_some() { 10_000 } else { 1000 }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases())
    })]

    #[test]
    fn pages_and_snapshots_are_those_of_the_model(actions in vec(action(), 1..24)) {
        let mut model = Model::new();
        for action in actions {
            model.act(action)?;
        }
        model.check_all()?;
    }
}

impl Model {
    fn new() -> Self {
        let kit = Kit::around(Simulator::builder().build());
        kit.container("one");
        kit.page_blob(DISK, PAGES as u64);
        let base = Version { pages: vec![None; PAGES], length: PAGES, generation: 0 };
        Self { kit, base, snapshots: Vec::new(), backup: None, clock: 0 }
    }

    fn act(&mut self, action: Action) -> TestCaseResult {
        self.clock += 1;
        let now = self.clock;
        match action {
            Action::Write { first, count, byte } => {
                let reply = self.kit.write_pages(DISK, first as u64, count as u64, byte);
                let fits = first + count <= self.base.length;
                prop_assert_eq!(reply.status, if fits { 201 } else { 416 });
                if fits {
                    self.base.pages[first..first + count].fill(Some((now, Some(byte))));
                }
            }
            Action::Clear { first, count } => {
                let range = format!("bytes={}-{}", first * 512, (first + count) * 512 - 1);
                let ask = self.kit.ask("PUT", &format!("{DISK}?comp=page"));
                let ask = ask.header("x-ms-page-write", "clear").header("x-ms-range", &range);
                let fits = first + count <= self.base.length;
                prop_assert_eq!(ask.send().status, if fits { 201 } else { 416 });
                if fits {
                    clear(&mut self.base.pages[first..first + count], now);
                }
            }
            Action::Resize { pages } => {
                let ask = self.kit.ask("PUT", &format!("{DISK}?comp=properties"));
                let length = (pages * 512).to_string();
                let status = ask.header("x-ms-blob-content-length", &length).send().status;
                prop_assert_eq!(status, 200);
                clear(&mut self.base.pages[pages..], now);
                self.base.length = pages;
            }
            Action::Snapshot => {
                let id = self.kit.snapshot(DISK);
                self.snapshots.push((id, self.base.clone()));
            }
            Action::DeleteSnapshot(at) => {
                if !self.snapshots.is_empty() {
                    let (id, _) = self.snapshots.remove(at.index(self.snapshots.len()));
                    let target = format!("{DISK}?snapshot={id}");
                    prop_assert_eq!(self.kit.ask("DELETE", &target).send().status, 202);
                }
            }
            Action::Recreate => {
                self.kit.page_blob(DISK, PAGES as u64);
                self.base = Version { pages: vec![None; PAGES], length: PAGES, generation: now };
            }
            Action::Restore(at) => {
                if let Some((id, version)) = self.pick(at) {
                    let copy = self.kit.copy(&format!("{DISK}?snapshot={id}"), DISK);
                    prop_assert_eq!(copy.send().status, 202);
                    self.base = Version { generation: now, ..version };
                }
            }
            Action::CopyAside => {
                prop_assert_eq!(self.kit.copy(DISK, COPY).send().status, 202);
                self.check(COPY, self.base.shown())?;
                prop_assert_eq!(self.kit.ask("DELETE", COPY).send().status, 202);
            }
            Action::Incremental(at) => self.copy_incrementally(at)?,
            Action::Abandon => {
                if self.backup.take().is_some() {
                    let delete = self.kit.ask("DELETE", BACKUP);
                    let delete = delete.header("x-ms-delete-snapshots", "include");
                    prop_assert_eq!(delete.send().status, 202);
                }
            }
            Action::Compare(one, other) => self.compare(one, other)?,
        }
        Ok(())
    }

    fn pick(&self, at: Index) -> Option<(String, Version)> {
        let count = self.snapshots.len();
        (count > 0).then(|| self.snapshots[at.index(count)].clone())
    }

    fn copy_incrementally(&mut self, at: Index) -> TestCaseResult {
        let Some((id, version)) = self.pick(at) else { return Ok(()) };
        let exists = |id: &String| self.snapshots.iter().any(|(other, _)| other == id);
        let code = match &self.backup {
            None => "",
            Some(backup) if backup.generation != version.generation => "BlobOverwritten",
            Some(backup) if id <= backup.last => "IncrementalCopyOfEarlierSnapshotNotAllowed",
            Some(backup) if !exists(&backup.last) => {
                "IncrementalCopyBlobPreviousSnapshotDoesNotExist"
            }
            Some(_) => "",
        };
        let reply = self.kit.incremental(DISK, &id, BACKUP).send();
        prop_assert_eq!(reply.header("x-ms-error-code"), code);
        if code.is_empty() {
            prop_assert_eq!(reply.header("x-ms-copy-status"), "pending");
            let done = self.kit.head(BACKUP);
            prop_assert_eq!(done.header("x-ms-copy-status"), "success");
            let kept = done.header("x-ms-copy-destination-snapshot").to_owned();
            let generation = version.generation;
            let new = || Backup { generation, last: String::new(), snapshots: Vec::new() };
            let backup = self.backup.get_or_insert_with(new);
            backup.last = id;
            backup.snapshots.push((kept, version.shown().to_vec()));
        }
        Ok(())
    }

    /// Requests the difference between two snapshots, in either order.
    fn compare(&self, one: Index, other: Index) -> TestCaseResult {
        let Some(((new_id, new), (old_id, old))) = self.pick(one).zip(self.pick(other)) else {
            return Ok(());
        };
        let target = format!("{DISK}?comp=pagelist&prevsnapshot={old_id}&snapshot={new_id}");
        let reply = self.kit.ask("GET", &target).send();
        if new_id < old_id {
            prop_assert_eq!(reply.header("x-ms-error-code"), "PreviousSnapshotCannotBeNewer");
        } else if new.generation != old.generation {
            prop_assert_eq!(reply.header("x-ms-error-code"), "BlobOverwritten");
        } else {
            prop_assert_eq!(runs_in(&reply), difference(new.shown(), &old.pages));
        }
        Ok(())
    }

    fn check_all(&self) -> TestCaseResult {
        self.check(DISK, self.base.shown())?;
        for (id, version) in &self.snapshots {
            self.check(&format!("{DISK}?snapshot={id}"), version.shown())?;
        }
        for (id, pages) in self.backup.iter().flat_map(|backup| &backup.snapshots) {
            self.check(&format!("{BACKUP}?snapshot={id}"), pages)?;
        }
        Ok(())
    }

    /// Compares the content and the ranges of a blob or snapshot with the model's.
    fn check(&self, target: &str, pages: &[Page]) -> TestCaseResult {
        let body = self.kit.ask("GET", target).send().expect(200).body;
        let expected: Vec<u8> =
            pages.iter().flat_map(|page| [byte(*page).unwrap_or(0); 512]).collect();
        prop_assert!(body.len() <= LENGTH && body == expected, "the content of {}", target);
        let joint = if target.contains('?') { '&' } else { '?' };
        let ranges = self.kit.ask("GET", &format!("{target}{joint}comp=pagelist")).send();
        let mut written = difference(pages, &vec![None; pages.len()]);
        written.retain(|(.., cleared)| !cleared);
        prop_assert_eq!(runs_in(&ranges), written);
        Ok(())
    }
}

impl Version {
    fn shown(&self) -> &[Page] {
        &self.pages[..self.length]
    }
}

fn byte(page: Page) -> Option<u8> {
    page.and_then(|(_, byte)| byte)
}

/// Clears the written pages.
fn clear(pages: &mut [Page], now: u32) {
    for page in pages {
        if byte(*page).is_some() {
            *page = Some((now, None));
        }
    }
}

/// Runs of pages: the first, the last, and whether they were cleared.
type Runs = Vec<(usize, usize, bool)>;

fn difference(new: &[Page], old: &[Page]) -> Runs {
    let mut runs = Runs::new();
    let page = |pages: &[Page], at: usize| pages.get(at).copied().flatten();
    for at in 0..new.len() {
        let (now, before) = (page(new, at), page(old, at));
        if now.map(|it| it.0) == before.map(|it| it.0) {
            continue;
        }
        let cleared = byte(now).is_none();
        match runs.last_mut() {
            Some((_, last, same)) if *last + 1 == at && *same == cleared => *last = at,
            _ => runs.push((at, at, cleared)),
        }
    }
    runs
}

fn runs_in(reply: &Reply) -> Runs {
    let mut runs = Runs::new();
    for piece in reply.text().split("Range><Start>").skip(1) {
        let (start, rest) = piece.split_once("</Start><End>").unwrap();
        let (end, rest) = rest.split_once("</End></").unwrap();
        let [start, end] = [start, end].map(|text| text.parse::<usize>().unwrap());
        runs.push((start / 512, end / 512, rest.starts_with("Clear")));
    }
    runs
}
