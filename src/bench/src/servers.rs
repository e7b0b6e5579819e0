//! The programs as children: started on a free port of this machine, watched through `/proc`, stopped when they go
//! out of scope, also on an error.

use super::{Result, http::Connection};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Guards nothing: what it seals is gone when the benchmark ends.
pub const MASTER_KEY: &str = "v1:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
const PATIENCE: Duration = Duration::from_secs(30);
/// `USER_HZ`, which Linux has fixed for what it tells in `/proc`.
const TICKS_PER_SECOND: u64 = 100;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Program,
    Bare,
    Node,
}

pub struct Server {
    pub target: Target,
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first page.
    pub started_in: Duration,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already; nothing that is measured depends on how it ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// The release program, with nothing of this shell's settings.
    pub async fn program(database: &Path) -> Result<Self> {
        Self::program_with(&[], &url(database)).await
    }

    /// The same on a disk whose every sync takes so long.
    pub async fn program_with_slow_syncs(database: &Path, sync: Duration) -> Result<Self> {
        let inject = format!("inject=fsync,fdatasync:delay_exit={}", sync.as_micros());
        // The tracer is the grandchild, and stops the program at nothing but its syncs.
        let mut tracer = "strace -D -f --seccomp-bpf -qq -o /dev/null -e trace=fsync,fdatasync -e"
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>();
        tracer.push(inject);
        Self::program_with(&tracer, &url(database)).await
    }

    /// Run by another command, on a database by its address.
    pub async fn program_with(by: &[String], database: &str) -> Result<Self> {
        let address = free_address()?;
        let mut words = by.iter().map(Into::into).chain([program_path()?.into_os_string()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .arg("serve")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("IPACK_DATABASE_URL", database)
            .env("IPACK_LISTEN", address.to_string())
            .env("IPACK_RATE_LIMIT", "off")
            .env("IPACK_MASTER_KEY", MASTER_KEY)
            .env("IPACK_LOG", "warn");
        Self::start(Target::Program, command, address).await
    }

    /// The Node server in `node`, on a database of its own.
    pub async fn node(node: &Path, database: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(node.join("node_modules/.bin/node"));
        command.arg("--disable-warning=ExperimentalWarning").arg(node.join("server.mjs"));
        command.arg(address.port().to_string()).arg(database);
        command.env("NODE_ENV", "production");
        Self::start(Target::Node, command, address).await
    }

    pub async fn bare(database: &str, answers: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("bare").arg("--listen").arg(address.to_string());
        command.arg("--database").arg(database).arg("--answers").arg(answers);
        Self::start(Target::Bare, command, address).await
    }

    async fn start(target: Target, mut command: Command, address: SocketAddr) -> Result<Self> {
        let begun = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = child.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let mut server = Self { target, child, address, started_in: Duration::ZERO };
        let request = format!("GET /login HTTP/1.1\r\nhost: {address}\r\naccept: text/html\r\n\r\n");
        loop {
            if let Ok(mut connection) = Connection::open(address).await {
                connection.ask(request.as_bytes()).await?.expect(200, "the first page")?;
                server.started_in = begun.elapsed();
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{} ended: {status}", command.get_program().display()).into());
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("{} does not answer", command.get_program().display()).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The most memory that it ever had.
    pub fn peak_kib(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// The memory that it has.
    pub fn resident_kib(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line in /proc")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// Processor time used so far, the kernel's on its behalf included.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is a name in parentheses, which may hold anything; utime and stime are 14 and 15.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks = ticks.sum::<std::result::Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
    }
}

pub fn url(database: &Path) -> String {
    format!("sqlite://{}", database.display())
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// `target/release`, where this program stands too.
fn release_folder() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    Ok(here.parent().ok_or("this program stands in no folder")?.to_owned())
}

fn program_path() -> Result<PathBuf> {
    let path = release_folder()?.join("ipack-connect");
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!("{} is not there: `make build`", path.display()).into())
    }
}

fn target_folder() -> Result<PathBuf> {
    Ok(release_folder()?.parent().ok_or("there is no target folder")?.to_owned())
}

/// Where the browser's half stands.
pub fn site_folder() -> Result<PathBuf> {
    Ok(target_folder()?.join("site/pkg"))
}

/// A folder for this run's databases. Not under /tmp, which may be memory: commits are to be durable.
pub fn work_folder() -> Result<PathBuf> {
    Ok(target_folder()?.join(format!("bench-{}", std::process::id())))
}
