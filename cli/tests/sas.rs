//! `blobcopy sas` and `blobcopy completions`.

use crate::support::{World, bare, finish, spawn};

#[test]
fn whoever_has_the_url_may_do_what_it_permits() {
    let world = World::new().with_disk();
    for more in [&[][..], &["--account-sas"]] {
        let make =
            [&["sas", "vhds/disk0.vhd", "--permissions", "r", "--expiry", "2h"], more].concat();
        let url = world.good(&make);
        let ended = finish(spawn(bare(&["get", url.trim(), "-"])), "");
        assert_eq!((ended.code, ended.out.len()), (Some(0), 64 << 10), "{}", ended.err);
        let refused = finish(spawn(bare(&["snapshot", url.trim()])), "");
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(!refused.err.contains("sig="), "{refused:?}");
    }
    let made = world.good(&["sas", "vhds", "--permissions", "rl", "--expiry", "7d", "-o", "json"]);
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
    assert!(made["url"].as_str().expect("a URL").contains("sp=rl"), "{made}");
}

#[test]
fn what_no_sas_can_permit_is_refused() {
    let world = World::new().with_disk();
    for (permissions, expiry) in
        [("z", "2h"), ("r", "soon"), ("r", "2020-01-01T00:00:00Z"), ("", "2h")]
    {
        let make = ["sas", "vhds/disk0.vhd", "--permissions", permissions, "--expiry", expiry];
        assert_eq!(world.run(&make).code, Some(64), "{permissions} {expiry}");
    }
}

#[test]
fn a_letter_that_this_kind_of_sas_does_not_have_is_named() {
    let world = World::new().with_disk();
    let told = |blob: &str, letters: &str, more: &[&str]| {
        let make = [&["sas", blob, "--expiry", "2h", "--permissions", letters], more].concat();
        let ended = world.run(&make);
        assert_eq!(ended.code, Some(64), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 2, "{ended:?}");
        ended.err
    };
    let err = told("vhds/disk0.vhd", "rl", &[]);
    assert!(err.contains("has 'l', which a SAS for a blob does not have"), "{err}");
    let err = told("vhds", "ru", &[]);
    assert!(err.contains("has 'u', which a SAS for a container does not have"), "{err}");
    let err = told("vhds", "rm", &["--account-sas"]);
    assert!(err.contains("has 'm', which an account SAS does not have"), "{err}");
}

#[test]
fn only_a_key_signs_an_account_sas() {
    let world = World::new().with_disk();
    let flags = ["--permissions", "r", "--expiry", "2h"];
    let make = [&["sas", "vhds/disk0.vhd"][..], &flags].concat();
    let sas = world.good(&make);
    let sas = sas.trim().split_once('?').expect("a SAS").1.to_owned();
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    let mut command = bare(&[&make[..], &["--account-sas", "--endpoint", &endpoint]].concat());
    command.env("AZURE_STORAGE_SAS_TOKEN", sas);
    let ended = finish(spawn(command), "");
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.err.contains("only the account's key can sign an account SAS"), "{ended:?}");
}

#[test]
fn completions_come_from_the_same_definitions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = finish(spawn(bare(&["completions", shell])), "");
        assert_eq!(ended.code, Some(0), "{shell}");
        assert!(ended.out.contains("incremental") && ended.out.contains("what-if"), "{shell}");
    }
}

#[test]
fn an_account_sas_keeps_the_snapshot_that_is_named() {
    let world = World::new().with_disk();
    let taken = world.snapshot();
    world.change(0, 4096);
    let flags = ["--permissions", "r", "--expiry", "2h", "--account-sas"];
    let made = world.good(&[&["sas", "vhds/disk0.vhd@latest"][..], &flags].concat());
    assert!(
        made.contains(&format!("?snapshot={}&", taken.replace(':', "%3A"))),
        "{}",
        world.shown(&made)
    );
    let folder = crate::support::disk::Folder::new("sas-snapshot");
    let file = folder.path("disk.img");
    let ended = finish(spawn(bare(&["get", made.trim(), &file])), "");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(std::fs::read(&file).expect("there")[..4096], [1; 4096]);
}

#[test]
fn a_sas_does_not_sign_another() {
    let world = World::new().with_disk();
    let flags = ["--permissions", "r", "--expiry", "2h"];
    let made = world.good(&[&["sas", "vhds/disk0.vhd"][..], &flags].concat());
    let plain = made.split('?').next().expect("a URL");
    for blob in [made.trim(), plain] {
        let ended = finish(spawn(bare(&[&["sas", blob][..], &flags].concat())), "");
        assert_eq!(ended.code, Some(64), "{ended:#?}");
        assert!(ended.err.contains("give the account's key or --login"), "{ended:#?}");
        assert!(!ended.err.contains("Credential") && !ended.err.contains("sig="), "{ended:#?}");
    }
}
