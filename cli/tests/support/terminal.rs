//! The binary in a terminal of its own.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    os::fd::AsFd,
    process::{Child, Command},
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

/// A run in a terminal.
pub(crate) struct Terminal {
    child: Child,
    screen: File,
    seen: String,
}

impl Terminal {
    /// Starts the binary in a terminal that is so many columns wide.
    pub(crate) fn start(mut command: Command, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal");
        unlockpt(&master).expect("a terminal");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(master.as_fd(), size).expect("its size");
        let path = name.to_str().expect("ASCII").to_owned();
        let end = || OpenOptions::new().read(true).write(true).open(&path).expect("its other end");
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm");
        let child = command.spawn().expect("the binary runs");
        // What the command holds of the other end would keep the screen open.
        drop(command);
        Self { child, screen: File::from(master), seen: String::new() }
    }

    /// Reads the screen until it holds `text`, and gives all that it has shown.
    #[allow(dead_code)]
    pub(crate) fn until(&mut self, text: &str) -> &str {
        while !self.seen.contains(text) {
            assert!(self.read(), "the screen never shows {text:?}: {}", self.seen);
        }
        &self.seen
    }

    /// Reads some more, and gives all that the screen has shown.
    pub(crate) fn more(&mut self) -> &str {
        assert!(self.read(), "the run has ended: {}", self.seen);
        &self.seen
    }

    #[allow(dead_code)]
    pub(crate) fn type_line(&mut self, text: &str) {
        self.screen.write_all(format!("{text}\n").as_bytes()).expect("it takes input");
    }

    #[allow(dead_code)]
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("an id"), signal).expect("it lives");
    }

    /// Reads the screen to the end of the run.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        while self.read() {}
        let status = self.child.wait().expect("it ends");
        (status.code(), self.seen.replace("\r\n", "\n"))
    }

    /// Closes the terminal, and tells the run so. Returns the code that it ends with.
    #[allow(dead_code)]
    pub(crate) fn hang_up(self) -> Option<i32> {
        let Self { mut child, screen, .. } = self;
        drop(screen);
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("an id"), Signal::HUP).expect("it lives");
        child.wait().expect("it ends").code()
    }

    /// Reads what there is; at the end of the run a terminal gives an error in place of nothing.
    fn read(&mut self) -> bool {
        let mut piece = [0; 4096];
        match self.screen.read(&mut piece) {
            Ok(0) | Err(_) => false,
            Ok(length) => {
                self.seen.push_str(&String::from_utf8_lossy(&piece[..length]));
                true
            }
        }
    }
}
