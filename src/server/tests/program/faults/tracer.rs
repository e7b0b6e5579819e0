//! A system-call tracer on a running program: it lets calls fail, or writes them down.

use ipack_testing::process::Server;
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

pub struct Tracer(Child);

impl Tracer {
    /// Traces every thread of the program; `None` where this process may not trace another one.
    pub fn attach(server: &Server, output: &Path, arguments: &[&str]) -> Option<Self> {
        let process = server.id();
        let mut tracer = Command::new("strace");
        tracer.args(["-f", "-qq", "-o"]).arg(output).args(["-p", &process.to_string()]).args(arguments);
        let mut tracer = tracer.stdin(Stdio::null()).spawn().ok()?;
        while !is_traced(process) {
            if tracer.try_wait().expect("waited for").is_some() {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
        Some(Self(tracer))
    }

    /// Lets go of the program.
    pub fn stop(mut self) {
        // Told, and not killed, it lets go of the program between two of its calls.
        let told = Command::new("kill").arg(self.0.id().to_string()).status().expect("kill is there");
        assert!(told.success());
        self.0.wait().expect("it ends");
    }
}

/// Whether every thread of a process is traced.
fn is_traced(process: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    threads.flatten().all(|thread| {
        // One that has ended meanwhile needs no tracer.
        fs::read_to_string(thread.path().join("status"))
            .map_or(true, |status| !status.lines().any(|line| line == "TracerPid:\t0"))
    })
}
