//! The SDKs themselves: a test says why they are not there, and CI cannot do without them.

use std::{
    env,
    process::{Command, Output},
};

use super::packages::SKIP;

const TESTS: [(&str, &str); 2] = [
    ("python", "Python 3.11 or newer with venv and pip (cannot run `python"),
    ("javascript", "Node.js 20 or newer with npm (cannot run `node`"),
];

#[test]
fn without_a_language_one_line_says_what_to_do() {
    for (language, needs) in TESTS {
        let run = run_again(language, |test| test.env_remove(SKIP));
        assert!(!run.status.success());
        let said = said(&run);
        let lines: Vec<_> = said.lines().filter(|line| line.contains("or newer with")).collect();
        let [line] = lines[..] else { panic!("not one line: {said}") };
        assert!(line.contains(needs), "{line}");
        assert!(line.contains("set BLOBCOPY_SKIP_SDKS=1 to skip"), "{line}");
    }
}

#[test]
fn one_line_says_that_tests_are_skipped() {
    for (language, _) in TESTS {
        let run = run_again(language, |test| test.env(SKIP, "1").env_remove("CI"));
        assert!(run.status.success());
        let said = said(&run);
        assert_eq!(said.matches("are skipped: BLOBCOPY_SKIP_SDKS is set").count(), 1, "{said}");
    }
}

#[test]
fn ci_does_not_skip() {
    for (language, _) in TESTS {
        let run = run_again(language, |test| test.env(SKIP, "1").env("CI", "true"));
        assert!(!run.status.success());
        assert!(said(&run).contains("BLOBCOPY_SKIP_SDKS is refused"), "{}", said(&run));
    }
}

/// Runs the test of a language in a process that finds no programs.
fn run_again(language: &str, environment: impl FnOnce(&mut Command) -> &mut Command) -> Output {
    let mut test = Command::new(env::current_exe().expect("a test is a file"));
    test.arg(format!("on_sdks::{language}_finds_the_service_in_the_simulator")).arg("--exact");
    environment(test.env("PATH", "")).output().expect("a test can be run")
}

fn said(run: &Output) -> String {
    String::from_utf8_lossy(&[&run.stdout[..], &run.stderr].concat()).into_owned()
}
