//! The harness of tests that need more than Rust: each has a referee, an independent program that
//! implements or uses the service.
//!
//! Such a test takes its referee as its argument. If the referee is missing, the test is ignored
//! with the reason; if the variable `CI` is set, it fails instead.

use std::{
    collections::BTreeMap,
    env, fs,
    future::Future,
    path::Path,
    pin::Pin,
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

use libtest_mimic::{Arguments, Completion, Failed, FormatSetting, Trial};

use super::{azurite::Azurite, install::Absent};

/// A requirement of a test, beyond Rust.
pub(crate) trait Referee: Sync + 'static {
    /// The instance that all tests of this process share, prepared on first use.
    fn shared() -> Result<&'static Self, Absent>;
}

impl Referee for Azurite {
    fn shared() -> Result<&'static Self, Absent> {
        Self::shared()
    }
}

/// Lists the tests of a module for the harness: `async fn`s that take a referee and, after
/// `plain:`, functions that need none. A test missing here is dead code, which the root of the
/// binary denies.
macro_rules! tests {
    ($($name:ident),* $(,)? $(; plain: $($plain:ident),+ $(,)?)?) => {
        pub(super) fn tests() -> Vec<libtest_mimic::Trial> {
            vec![
                $(crate::support::referees::trial(
                    concat!(module_path!(), "::", stringify!($name)),
                    |referee| Box::pin($name(referee)),
                ),)*
                $($(crate::support::referees::plain(
                    concat!(module_path!(), "::", stringify!($plain)),
                    $plain,
                ),)+)?
            ]
        }
    };
}

type Test<R> = fn(&'static R) -> Pin<Box<dyn Future<Output = ()>>>;

/// A test that runs if its referee is available.
pub(crate) fn trial<R: Referee>(path: &str, test: Test<R>) -> Trial {
    Trial::ignorable_test(without_crate(path), move || match R::shared() {
        Ok(referee) => {
            tally(|tally| tally.ran += 1);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(test(referee));
            Ok(Completion::Completed)
        }
        Err(Absent::Missing(needs)) if is_set("CI") => {
            tally(|tally| *tally.missing.entry(needs.clone()).or_default() += 1);
            Err(Failed::from(format!("CI runs every test, and this one {needs}")))
        }
        Err(Absent::Missing(needs)) => {
            tally(|tally| *tally.missing.entry(needs.clone()).or_default() += 1);
            Ok(Completion::ignored_with(needs))
        }
        Err(broken @ Absent::Broken(_)) => Err(broken.into()),
    })
}

/// A test that needs no referee.
pub(crate) fn plain(path: &str, test: fn()) -> Trial {
    Trial::test(without_crate(path), move || {
        test();
        Ok(())
    })
}

/// Runs the tests that this process's arguments select. The last line says how many had a referee.
///
/// Rust's own harness would run tests in `folders` that have its attribute, but it is not used
/// here: an additional test fails if there are any.
pub(crate) fn run(folders: &'static [&'static str], mut tests: Vec<Trial>) -> ExitCode {
    tests.push(Trial::test("no_test_is_left_to_another_harness", || {
        let left: Vec<_> = folders.iter().flat_map(|folder| left_out(Path::new(folder))).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("list in `tests!`: {left:#?}").into()) }
    }));
    let arguments = Arguments::from_args();
    let conclusion = libtest_mimic::run(&arguments, tests);
    if !arguments.list && arguments.format != Some(FormatSetting::Json) {
        tally(|tally| println!("referees of {}: {}", env!("CARGO_PKG_NAME"), tally.closing()));
    }
    conclusion.exit_code()
}

/// The results of the tests that need a referee.
#[derive(Debug)]
struct Tally {
    ran: usize,
    /// By requirement.
    missing: BTreeMap<String, usize>,
}

impl Tally {
    fn closing(&self) -> String {
        let ran = self.ran;
        let missing: usize = self.missing.values().sum();
        let did_not = if is_set("CI") { "missing" } else { "ignored" };
        let reasons: String =
            self.missing.iter().map(|(needs, count)| format!("; {count}: {needs}")).collect();
        format!("{ran} tests ran, {missing} {did_not}{reasons}")
    }
}

fn tally(with: impl FnOnce(&mut Tally)) {
    static TALLY: Mutex<Tally> = Mutex::new(Tally { ran: 0, missing: BTreeMap::new() });
    with(&mut TALLY.lock().unwrap_or_else(PoisonError::into_inner));
}

/// The source lines in `folder` that declare a test for Rust's own harness.
fn left_out(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(left_out(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("a source is text");
            let is_test = |line: &&str| {
                ["#[test]", "#[tokio::test"].iter().any(|start| line.trim().starts_with(start))
            };
            let lines = source.lines().enumerate().filter(|(_, line)| is_test(line));
            found.extend(lines.map(|(line, _)| format!("{}:{}", path.display(), line + 1)));
        }
    }
    found
}

/// `referees::module::test` as `module::test`.
fn without_crate(path: &str) -> &str {
    path.split_once("::").map_or(path, |(_, path)| path)
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty() && value != "0")
}
