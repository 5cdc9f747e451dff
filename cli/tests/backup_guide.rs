//! The commands of `docs/backup-guide.md` and of the files below `docs/backup`.

use std::{path::Path, process::Command};

use crate::support::{Ended, World, disk::Folder, finish, spawn};

const GUIDE: &str = include_str!("../../docs/backup-guide.md");
const MIRROR: &str = include_str!("../../docs/backup/blobcopy-mirror@.service");
const DRILL: &str = include_str!("../../docs/backup/blobcopy-drill@.service");
const CRON: &str = include_str!("../../docs/backup/cronjob.yaml");

/// The commands in the blocks of a kind.
fn commands(kind: &str) -> Vec<&'static str> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in GUIDE.lines() {
        match line.strip_prefix("```") {
            Some(begun) => inside = begun == kind,
            None if inside && line.starts_with("blobcopy ") => commands.push(line),
            None => {}
        }
    }
    commands
}

/// Runs a line of a shell that needs no quotes.
fn run(world: &World, line: &str, folder: &Folder) -> Ended {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut command = world.command(&words[1..]);
    command.current_dir(folder.path(""));
    finish(spawn(command), "")
}

fn disk() -> World {
    let world = World::new().with_disk();
    // Every command of a block comes some time after the one before.
    world.change(8192, 512);
    world
}

#[test]
fn the_commands_of_the_guide_run() {
    let (world, folder) = (disk(), Folder::new("backup-guide"));
    let commands = commands("sh");
    assert!(commands.len() >= 13, "{commands:#?}");
    for line in commands {
        let ended = run(&world, line, &folder);
        assert_eq!(ended.code, Some(0), "{line}: {ended:#?}");
        if line.contains(" snapshot ") {
            world.change(4096, 512);
        }
    }
}

/// Those of a managed disk, for which there is no disk here.
#[test]
fn the_other_commands_of_the_guide_have_no_wrong_flags() {
    let (world, folder) = (disk(), Folder::new("backup-guide-text"));
    let commands = commands("text");
    assert_eq!(commands.len(), 3, "{commands:#?}");
    for line in commands {
        let help = run(&world, &format!("{line} --help"), &folder).out;
        for flag in line.split_whitespace().filter(|word| word.starts_with("--")) {
            let name = flag.split('=').next().unwrap_or(flag);
            assert!(help.contains(name), "{line}: {name}");
        }
    }
}

/// What a unit runs, for the disk of the guide.
fn of_unit(unit: &str, secret: &str) -> Vec<String> {
    let joined = unit.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| {
        let (name, command) = line.split_once('=')?;
        name.starts_with("ExecStart").then(|| command.to_owned())
    });
    let conf = GUIDE.split("# /etc/blobcopy/disk0.conf\n").nth(1).expect("the disk's settings");
    let settings: Vec<(&str, &str)> = conf.lines().map_while(|line| line.split_once('=')).collect();
    let filled = |command: String| {
        settings.iter().fold(command, |command, (name, value)| {
            command.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
        })
    };
    lines.map(filled).map(|command| command.replace("%d/connection-string", secret)).collect()
}

#[test]
fn the_units_run() {
    let (world, folder) = (disk(), Folder::new("backup-units"));
    let secret = folder.write("connection-string", world.simulator.connection_string().as_bytes());
    let secret = Path::new(&secret).to_str().expect("UTF-8").to_owned();
    let commands = [of_unit(MIRROR, &secret), of_unit(DRILL, &secret)].concat();
    assert_eq!(commands.len(), 4, "{commands:#?}");
    for line in commands {
        assert!(line.starts_with("/usr/local/bin/blobcopy ") && !line.contains('$'), "{line}");
        let words: Vec<&str> = line.split_whitespace().collect();
        let ended = finish(spawn(crate::support::bare(&words[1..])), "");
        assert_eq!(ended.code, Some(0), "{line}: {ended:#?}");
    }
}

#[test]
fn systemd_takes_the_units() {
    let program = "systemd-analyze";
    if Command::new(program).arg("--version").output().is_err() {
        eprintln!("{program} is not installed: the units are not checked");
        return;
    }
    let folder = Folder::new("systemd");
    for (name, text) in [
        ("mirror@.service", MIRROR),
        ("mirror@.timer", include_str!("../../docs/backup/blobcopy-mirror@.timer")),
        ("drill@.service", DRILL),
        ("drill@.timer", include_str!("../../docs/backup/blobcopy-drill@.timer")),
    ] {
        let text = text.replace("/usr/local/bin/blobcopy", crate::support::BINARY);
        folder.write(&format!("blobcopy-{name}"), text.as_bytes());
        let instance = folder.path(&format!("blobcopy-{}", name.replace('@', "@disk0")));
        let ended = finish(
            {
                let mut command = Command::new(program);
                command.args(["verify", "--man=no"]).arg(instance);
                spawn(command)
            },
            "",
        );
        let said = ended.err.replace("Failed to", "");
        assert_eq!((ended.code, said.as_str()), (Some(0), ""), "{name}: {ended:#?}");
    }
}

/// The arguments of the containers: in one line, or a line each.
fn of_manifest() -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    let mut inside = false;
    for line in CRON.lines().map(str::trim_start) {
        if let Some(list) = line.strip_prefix("args: [") {
            let words = list.trim_end_matches(']').split(", ");
            all.push(words.map(str::to_owned).collect());
        } else if line == "args:" {
            inside = true;
            all.push(Vec::new());
        } else if let Some(word) = line.strip_prefix("- ").filter(|_| inside) {
            all.last_mut().expect("begun").push(word.to_owned());
        } else {
            inside = false;
        }
    }
    all
}

#[test]
fn the_manifest_runs() {
    let world = disk();
    let all = of_manifest();
    assert_eq!(all.len(), 4, "{all:#?}");
    for arguments in all {
        // The account is the simulator's, by its connection string.
        let mut words = Vec::new();
        let mut given = arguments.iter();
        while let Some(word) = given.next() {
            match word.as_str() {
                "--account" => drop(given.next()),
                "--login=workload" | "--source-login=workload" => {}
                word => words
                    .push(word.trim_start_matches("//mydisks/").trim_start_matches("//mybackups/")),
            }
        }
        let ended = world.run(&words);
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:#?}");
    }
}
