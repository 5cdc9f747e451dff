//! Tests without their referee: each is ignored with a reason, and CI ignores none.

use std::{
    env,
    process::{Command, Output},
};

tests![; plain: without_a_language_its_tests_are_ignored_with_the_reason, ci_ignores_no_test];

const PYTHON: &str = "needs Python 3.11 or newer with venv and pip: cannot run `python";
const NODE: &str = "needs Node.js 20 or newer with npm: cannot run `node`";
const TESTS: [(&str, &str); 4] = [
    ("on_sdks::python_finds_the_service_in_the_simulator", PYTHON),
    ("on_sdks::javascript_finds_the_service_in_the_simulator", NODE),
    ("on_sdks::live::recorded_exchanges_of_the_live_service_come_back_as_they_were", PYTHON),
    ("conformance::every_difference_to_azurite_is_explained", NODE),
];

fn without_a_language_its_tests_are_ignored_with_the_reason() {
    for (test, needs) in TESTS {
        let run = run_again(test, |test| test.env_remove("CI"));
        let said = said(&run);
        assert!(run.status.success(), "{said}");
        assert!(said.contains(&format!("test {test} ... ignored ({needs}")), "{said}");
        let last = said.lines().next_back().unwrap_or_default();
        let expected =
            format!("referees of blobcopy-simulator: 0 tests ran, 1 ignored; 1: {needs}");
        assert!(last.starts_with(&expected), "{said}");
        assert!(!said.contains("installing"), "{said}");
    }
}

fn ci_ignores_no_test() {
    for (test, needs) in TESTS {
        let run = run_again(test, |test| test.env("CI", "true"));
        let said = said(&run);
        assert!(!run.status.success(), "{said}");
        assert!(said.contains(&format!("CI runs every test, and this one {needs}")), "{said}");
    }
}

/// Runs a test in a process that finds no programs.
fn run_again(name: &str, environment: impl FnOnce(&mut Command) -> &mut Command) -> Output {
    let mut test = Command::new(env::current_exe().expect("a test is a file"));
    environment(test.args([name, "--exact"]).env("PATH", "")).output().expect("a test can be run")
}

fn said(run: &Output) -> String {
    String::from_utf8_lossy(&[&run.stderr[..], &run.stdout].concat()).into_owned()
}
