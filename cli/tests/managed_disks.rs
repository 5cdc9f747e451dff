//! `blobcopy mirror` from a managed disk: by granted URLs, and by Azure Resource Manager.

use std::{
    process::{Child, Command},
    time::Duration,
};

use blobcopy_simulator::{ManagedDisk, Op, Simulator};

use crate::support::{
    Ended, World, bare,
    disk::Folder,
    finish, spawn,
    stand_in::{CERTIFICATE, StandIn},
};

/// What must be seen nowhere.
const TOKEN: &str = "tOkEn-Of-ThE-iDeNtItY";

/// A simulator that takes one token, with a managed disk of three snapshots.
pub(crate) struct Managed {
    pub(crate) world: World,
    folder: Folder,
    pub(crate) disk: ManagedDisk,
    identity: StandIn,
}

impl Managed {
    pub(crate) fn new(name: &str) -> Self {
        let builder = Simulator::builder()
            .https()
            .path_style_disks(true)
            .accept_bearer(|token| token == TOKEN);
        let (world, folder) = (World::of(builder), Folder::new(&format!("managed-{name}")));
        let ours = world.simulator.certificate_pem().expect("https");
        folder.write("trusted.pem", format!("{CERTIFICATE}{ours}").as_bytes());
        let token = format!(
            r#"{{"access_token":"{TOKEN}","expires_on":"4102444800","resource":"https://storage.azure.com","token_type":"Bearer"}}"#
        );
        let identity = StandIn::by_http(200, &token);
        let disk = world.simulator.managed_disks().create("disks", "disk0", 1 << 20);
        for number in 0..3u8 {
            disk.write(u64::from(number) << 16, &[number + 1; 1024]);
            disk.snapshot(&format!("disk0-{number}"));
            world.simulator.clock().advance(Duration::from_secs(60));
        }
        let managed = Self { world, folder, disk, identity };
        assert_eq!(managed.run(&["create", "backups"]).code, Some(0));
        managed
    }

    /// The binary with a login, and nothing but it.
    fn command(&self, arguments: &[&str]) -> Command {
        let endpoint = self.world.simulator.endpoint("devstoreaccount1").to_string();
        let login = "--login=managed-identity";
        let account = ["--account", "devstoreaccount1", "--endpoint", &endpoint, login];
        let mut command = bare(&[arguments, &account].concat());
        command
            .env("SSL_CERT_FILE", self.folder.path("trusted.pem"))
            .env("IDENTITY_ENDPOINT", format!("{}/msi/token", self.identity.url))
            .env("IDENTITY_HEADER", "header");
        command
    }

    /// Runs it to its end.
    fn run(&self, arguments: &[&str]) -> Ended {
        self.finish(spawn(self.command(arguments)))
    }

    /// Waits for its end. Nothing that it has said is a secret.
    pub(crate) fn finish(&self, child: Child) -> Ended {
        let ended = finish(child, "");
        for secret in [TOKEN, "sig="] {
            let shown = format!("{}{}", ended.out, ended.err).replace("sig=REDACTED", "");
            assert!(!shown.contains(secret), "{ended:?}");
        }
        ended
    }

    /// Mirrors the disk by Resource Manager.
    fn mirror(&self, flags: &[&str]) -> Ended {
        let flags = [&["backups/disk0.vhd"], flags].concat();
        self.finish(spawn(self.mirror_of("disk0", &flags)))
    }

    /// The mirror of a disk by Resource Manager.
    pub(crate) fn mirror_of(&self, disk: &str, flags: &[&str]) -> Command {
        let disks = self.world.simulator.managed_disks();
        let manager = disks.endpoint().to_string();
        let of_disk = ["mirror", "--resource-group", "disks", "--disk", disk];
        let of_manager = ["--resource-manager", &*manager, "--subscription", disks.subscription()];
        self.command(&[&of_disk[..], &of_manager, flags].concat())
    }

    /// A file with the URLs of the disk's snapshots, to which access is granted.
    fn chain(&self) -> String {
        let lines = self.disk.snapshots().into_iter().map(|snapshot| {
            let created = snapshot.created().expect("there");
            let created = created.format(&time::format_description::well_known::Rfc3339);
            let line = serde_json::json!({
                "snapshot": snapshot.name(), "created": created.expect("a time"),
                "disk": self.disk.unique_id(),
                "url": snapshot.grant(Duration::from_secs(3600)).expect("granted").as_str(),
            });
            format!("{line}\n")
        });
        self.folder.write("chain.jsonl", lines.collect::<String>().as_bytes())
    }

    fn snapshots(&self) -> usize {
        let listed = self.run(&["snapshots", "backups/disk0.vhd", "-o", "jsonl"]);
        assert_eq!(listed.code, Some(0), "{listed:#?}");
        listed.out.lines().count()
    }
}

/// Runs an example of the help with a managed disk.
pub(crate) fn example(line: &str, name: &str) -> Ended {
    let managed = Managed::new(name);
    let line = match line.contains("--disk") {
        true => line.to_owned(),
        false => line.replace("chain.jsonl", &managed.chain()),
    };
    let disks = managed.world.simulator.managed_disks();
    let manager = disks.endpoint().to_string();
    let of_manager = ["--resource-manager", &*manager, "--subscription", disks.subscription()];
    let given = line.split(' ').skip(1).filter(|argument| *argument != "--login");
    let mut arguments: Vec<&str> = given.collect();
    if line.contains("--disk") {
        arguments.extend(of_manager);
    }
    managed.run(&arguments)
}

#[test]
fn a_disk_is_mirrored_by_its_manager_and_access_is_given_back() {
    let managed = Managed::new("manager");
    let plan = managed.mirror(&["--plan"]);
    assert_eq!(plan.code, Some(0), "{plan:#?}");
    assert!(plan.out.contains("to copy      3 snapshots, size not known: --sizes"), "{}", plan.out);
    assert_eq!(managed.world.simulator.count(Op::GrantSnapshotAccess), 0);
    let plan = managed.mirror(&["--plan", "--sizes"]);
    assert_eq!(plan.code, Some(0), "{plan:#?}");
    assert!(plan.out.contains("to copy      3 snapshots, 3584 bytes"), "{}", plan.out);
    assert_eq!(managed.disk.granted(), 0);

    let mirrored = managed.mirror(&["--verify", "-v"]);
    assert_eq!(mirrored.code, Some(0), "{mirrored:#?}");
    assert_eq!(mirrored.out.matches("identical: ").count(), 3, "{}", mirrored.out);
    assert_eq!((managed.snapshots(), managed.disk.granted()), (3, 0));
    // The next one is a difference.
    managed.disk.write(0, &[9; 512]);
    managed.disk.snapshot("disk0-3");
    let next = managed.mirror(&["-o", "json"]);
    assert_eq!(next.code, Some(0), "{next:#?}");
    let report: serde_json::Value = serde_json::from_str(&next.out).expect("JSON");
    assert_eq!((&report["bytes"], &report["present"]), (&512.into(), &3.into()), "{report}");
    assert_eq!((managed.snapshots(), managed.disk.granted()), (4, 0));
}

#[test]
fn a_snapshot_that_somebody_else_reads_is_used_only_if_asked() {
    let managed = Managed::new("somebody");
    let first = managed.disk.snapshots().into_iter().next().expect("a snapshot");
    first.grant(Duration::from_secs(3600)).expect("granted");
    let refused = managed.mirror(&[]);
    // It passes when the other gives it back.
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.err.contains("to do: run the same command again"), "{refused:#?}");
    assert!(first.is_granted());
    let taken = managed.mirror(&["--take-over"]);
    assert_eq!(taken.code, Some(0), "{taken:#?}");
    assert_eq!((managed.snapshots(), managed.disk.granted()), (3, 0));
}

#[test]
fn a_disk_that_demands_a_token_beside_the_sas_is_mirrored_with_the_login() {
    let managed = Managed::new("token");
    managed.disk.require_bearer(true);
    let mirrored = managed.mirror(&["--verify"]);
    assert_eq!(mirrored.code, Some(0), "{mirrored:#?}");
    assert_eq!(mirrored.out.matches("identical: ").count(), 3, "{}", mirrored.out);
    assert_eq!((managed.snapshots(), managed.disk.granted()), (3, 0));
    // Lines say so themselves.
    managed.disk.write(0, &[9; 512]);
    managed.disk.snapshot("disk0-3");
    let file = managed.chain();
    let lines = std::fs::read_to_string(&file).expect("there");
    let mirror = |file: &str| {
        managed.run(&["mirror", "--managed-snapshots", file, "backups/lines.vhd", "-o", "json"])
    };
    let refused = mirror(&file);
    assert!(refused.err.contains("NoAuthenticationInformation"), "{refused:#?}");
    let mode = r#"{"dataAccessAuthMode":"AzureActiveDirectory","#;
    let told = managed.folder.write("told.jsonl", lines.replace('{', mode).as_bytes());
    let mirrored = mirror(&told);
    assert_eq!(mirrored.code, Some(0), "{mirrored:#?}");
}

#[test]
fn a_chain_is_mirrored_by_the_urls_that_its_lines_have() {
    let managed = Managed::new("lines");
    let file = managed.chain();
    // They have access, so the sizes are known at once.
    let of_lines = ["mirror", "--managed-snapshots", &*file, "backups/disk0.vhd"];
    let plan = managed.run(&[&of_lines[..], &["--plan"]].concat());
    assert!(plan.out.contains("to copy      3 snapshots, 3584 bytes"), "{}", plan.out);
    let mirror = ["mirror", "--managed-snapshots", &*file, "backups/disk0.vhd", "-v"];
    let mirrored = managed.run(&mirror);
    assert_eq!(mirrored.code, Some(0), "{mirrored:#?}");
    assert_eq!(managed.snapshots(), 3);
    let lines = std::fs::read_to_string(&file).expect("there");
    let bad = managed.folder.write("bad.jsonl", lines.replace("url", "uri").as_bytes());
    let refused = managed.run(&["mirror", "--managed-snapshots", &bad, "backups/disk0.vhd"]);
    assert_eq!(refused.code, Some(64), "{refused:#?}");
    assert!(refused.err.contains("line 1"), "{refused:#?}");
}

#[test]
fn a_restore_takes_every_name_of_a_snapshot_that_is_shown() {
    let managed = Managed::new("named");
    let mirrored = managed.mirror(&["-v"]);
    assert_eq!(mirrored.code, Some(0), "{mirrored:#?}");
    let backup = "backups/disk0.vhd";
    let good = |arguments: &[&str]| {
        let ended = managed.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:#?}");
        ended.out
    };
    let listed = good(&["snapshots", backup]);
    let prune = good(&["prune", backup, "--keep-last", "9", "--plan"]);
    let drill = good(&["drill", backup]);
    let plan = managed.mirror(&["--plan"]).out;
    let second = managed.disk.snapshots().swap_remove(1);
    let created = second.created().expect("there");
    let form = time::macros::format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z"
    );
    let time = created.format(form).expect("a time");
    let word = |text: &str, with: &str, part: &str| {
        let line = text.lines().find(|line| line.contains(with)).expect(with).to_owned();
        line.split_whitespace().find(|word| word.contains(part)).expect(part).to_owned()
    };
    let id = word(&listed, "disk0-1", "disk0-1");
    assert!(id.starts_with("/subscriptions/"), "{listed}");
    let own = word(&listed, "disk0-1", "T");
    assert_eq!(word(&plan, &time, &time), time);
    assert_eq!(word(&prune, &time, "@"), format!("disk0.vhd@{own}"));
    for (at, name) in
        [&*id, &id.to_uppercase(), "disk0-1", "DISK0-1", &own, &time].iter().enumerate()
    {
        let (from, to) = (format!("{backup}@{name}"), format!("backups/restored-{at}.vhd"));
        let report = good(&["restore", &from, &to, "-o", "json"]);
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["snapshot"]["equals"], *id, "{name}: {report}");
        // What a restore shows is a name too.
        let again = good(&["restore", &from, &to, "--overwrite"]);
        assert_eq!(word(&again, "disk of", "T"), time, "{again}");
    }
    let newest = word(&drill, "recovery point", "T");
    let newest = format!("{backup}@{}", newest.trim_end_matches(','));
    good(&["restore", &newest, "backups/newest.vhd"]);
    for bad in ["yesterday", "2h", "2026-11-26", "2026-11-26 15:39:26", "disk0"] {
        let refused = managed.run(&["restore", &format!("{backup}@{bad}"), "backups/no.vhd"]);
        assert_eq!(refused.code, Some(2), "{bad}: {refused:#?}");
        assert!(refused.err.contains(&format!("equals {bad} of the source")), "{refused:#?}");
        assert!(refused.err.contains("2026-01-01T12:00:00Z, or as newest"), "{refused:#?}");
    }
    let empty = managed.run(&["restore", &format!("{backup}@"), "backups/no.vhd"]);
    assert_eq!(empty.code, Some(64), "{empty:#?}");
    assert!(empty.err.contains("DEST@newest; DEST@TIME"), "{empty:#?}");
}

#[test]
fn the_url_of_a_managed_snapshot_is_refused_with_the_flags_to_give() {
    let world = World::new();
    let sas = "sv=2018-11-09&sr=b&si=1&sig=c2VjcmV0";
    for query in [sas.to_owned(), format!("snapshot=2026-01-01T00:00:00.1234567Z&{sas}")] {
        let url = format!("https://md-a.z01.blob.storage.azure.net/xyz/abcd?{query}");
        for flags in [&[][..], &["--plan"], &["--route", "ranges"]] {
            let ended = world.run(&[&["mirror", &url, "backups/d.vhd"][..], flags].concat());
            assert_eq!(ended.code, Some(64), "{ended:#?}");
            assert!(ended.err.contains("one snapshot of a managed disk"), "{ended:#?}");
            assert!(ended.err.contains("--resource-group GROUP --disk NAME"), "{ended:#?}");
            assert!(ended.err.contains("--managed-snapshots FILE"), "{ended:#?}");
            assert!(!ended.err.contains("c2VjcmV0"), "{ended:#?}");
        }
    }
    assert_eq!(world.simulator.requests().len(), 0);
}

#[test]
fn flags_that_only_resource_manager_can_follow_are_refused_beside_lines() {
    let world = World::new();
    for flag in ["--take-over", "--disk-id=d-1", "--subscription=s", "--resource-manager=https://m"]
    {
        let lines = ["mirror", "--managed-snapshots", "-", "backups/d.vhd", flag];
        let ended = world.run(&lines);
        assert_eq!(ended.code, Some(64), "{ended:#?}");
        let flag = flag.split('=').next().expect("a flag");
        assert!(ended.err.contains(flag), "{ended:#?}");
    }
}

#[test]
fn a_disk_may_be_given_by_its_resource_id_whose_last_part_is_its_name() {
    let managed = Managed::new("by-id");
    let id = managed.disk.id();
    let mirrored = managed.finish(spawn(managed.mirror_of(&id, &["backups/"])));
    assert_eq!(mirrored.code, Some(0), "{mirrored:#?}");
    let listed = managed.run(&["snapshots", "backups/disk0"]);
    assert_eq!(listed.out.lines().count(), 4, "{listed:#?}");
}

#[test]
fn a_managed_disk_needs_a_login_and_a_subscription() {
    let world = World::new();
    let of_disk = ["mirror", "--resource-group", "g", "--disk", "d", "backups/d.vhd"];
    let ended = world.run(&of_disk);
    assert_eq!(ended.code, Some(64), "{ended:#?}");
    assert!(ended.err.contains("--login"), "{ended:#?}");
    let ended = world.run(&[&of_disk[..], &["--source-login=cli"]].concat());
    assert_eq!(ended.code, Some(64), "{ended:#?}");
    assert!(ended.err.contains("AZURE_SUBSCRIPTION_ID"), "{ended:#?}");
}
