//! What the benchmark ran on: the machine, the kind of its disk, and how noisy it was.

use super::Result;
use std::{
    fs,
    os::linux::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

/// In one line.
pub fn describe(folder: &Path, commit_time: Duration) -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    Ok(format!(
        "{cores} cores, which who asks shares with who answers; {}; a durable write of 4 KiB: {:.2} ms",
        disk(folder)?,
        commit_time.as_secs_f64() * 1e3
    ))
}

/// The file system and the device below a folder.
fn disk(folder: &Path) -> Result<String> {
    let device = fs::metadata(folder)?.st_dev();
    let number = format!("{}:{}", device >> 8 & 0xfff, device & 0xff);
    // ID, parent, device number, root, mount point, options, optional fields, a dash, type, source.
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some(&number));
    let (_, kind) = mount.and_then(|line| line.split_once(" - ")).unwrap_or(("", "an unknown file system"));
    let kind: Vec<&str> = kind.split(' ').take(2).collect();
    // A partition has it in the folder of its disk.
    let rotates = ["queue", "../queue"]
        .iter()
        .find_map(|queue| fs::read_to_string(format!("/sys/dev/block/{number}/{queue}/rotational")).ok());
    let rotates = match rotates.as_deref().map(str::trim) {
        Some("0") => "which does not rotate",
        Some(_) => "which rotates, or says so",
        None => "which is no block device",
    };
    Ok(format!("{}, {rotates}", kind.join(" on ")))
}

/// How far the rounds of one measurement lay apart, and what else kept the machine busy.
pub struct Noise {
    spreads: Vec<f64>,
    begun: Instant,
    stolen: Duration,
    load: String,
}

impl Noise {
    pub fn new() -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
        Self { spreads: Vec::new(), begun: Instant::now(), stolen: stolen(), load }
    }

    /// The ratios of one measurement's rounds.
    pub fn note(&mut self, rounds: &[f64]) {
        let (least, most) =
            (rounds.iter().copied().fold(f64::MAX, f64::min), rounds.iter().copied().fold(0.0, f64::max));
        if rounds.len() > 1 {
            self.spreads.push((most / least - 1.0) * 100.0);
        }
    }

    pub fn told(&self) -> String {
        let mut spreads = self.spreads.clone();
        spreads.sort_by(f64::total_cmp);
        let rounds = match (spreads.get(spreads.len() / 2), spreads.last()) {
            (Some(half), Some(most)) => format!(
                "the ratios of the rounds of one measurement lay {half:.0} % apart (half of them), {most:.0} % at most"
            ),
            _ => "one round of each measurement, which does not show it".to_owned(),
        };
        let stolen =
            stolen().saturating_sub(self.stolen).as_secs_f64() / self.begun.elapsed().as_secs_f64() * 100.0;
        format!(
            "Noise: {rounds}; load average before: {}; {stolen:.1} % of a core went to other machines.",
            self.load
        )
    }
}

/// Processor time that the host gave to others.
fn stolen() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks =
        stat.split_whitespace().nth(8).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis(ticks * 10)
}
