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
