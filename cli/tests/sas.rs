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
