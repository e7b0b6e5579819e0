//! What came out, for reading: each figure as it comes, and at the end the aims.

use super::{Result, load::Figures, requests::Kind};
use std::{fs, path::Path, time::Duration};

#[expect(clippy::print_stdout, reason = "what the person at the terminal asked for")]
pub fn say(line: &str) {
    println!("{line}");
}

/// One line of the last table.
struct Aim {
    what: String,
    aim: String,
    measured: String,
    is_met: bool,
}

pub struct Report {
    many: u32,
    few: u32,
    aims: Vec<Aim>,
}

impl Report {
    pub fn new(few: u32, many: u32, commit_time: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load: Vec<&str> = load.split(' ').take(3).collect();
        say(&format!(
            "{cores} cores, which who asks shares with who answers; load average before: {}; a durable write of 4 KiB: {:.2} ms\n",
            load.join(" "),
            commit_time.as_secs_f64() * 1e3
        ));
        Self { few, many, aims: Vec::new() }
    }

    fn aim(&mut self, what: impl Into<String>, aim: impl Into<String>, measured: String, is_met: bool) {
        self.aims.push(Aim { what: what.into(), aim: aim.into(), measured, is_met });
    }

    fn at_most(&mut self, what: impl Into<String>, limit: f64, unit: &str, measured: f64) {
        let decimals = if limit < 10.0 { 2 } else { 1 };
        let measured_text = format!("{measured:.decimals$}{unit}");
        self.aim(what, format!("≤ {limit}{unit}"), measured_text, measured <= limit);
    }

    pub fn started(&mut self, starts: Vec<Duration>, idle_kib: u64) {
        let millis: Vec<f64> = starts.iter().map(|start| start.as_secs_f64() * 1e3).collect();
        let all: Vec<String> = millis.iter().map(|millis| format!("{millis:.0}")).collect();
        let median = millis.get(millis.len() / 2).copied().unwrap_or(f64::NAN);
        say(&format!("Start to first page: {} ms; idle: {:.1} MiB", all.join(", "), mebi(idle_kib)));
        self.at_most("first page after the start", 150.0, " ms", median);
        self.at_most("memory, idle", 40.0, " MiB", mebi(idle_kib));
    }

    /// What the program computes on a large input, in milliseconds.
    pub fn computed(&mut self, what: impl Into<String>, limit: f64, took: Duration) {
        let (what, millis) = (what.into(), took.as_secs_f64() * 1e3);
        say(&format!("{what}: {millis:.1} ms"));
        self.at_most(what, limit, " ms", millis);
    }

    /// The program and the bare handler.
    pub fn beside(&mut self, kind: Kind, pair: [Figures; 2], peaks: [u64; 2]) {
        say(&format!("\nThe seed's {}, 64 connections, {} details", kind.name(), self.few));
        head();
        let [program, bare] = &pair;
        row("program", program, Some(peaks[0]));
        row("bare", bare, Some(peaks[1]));
        let ratio = program.per_second() / bare.per_second();
        let rounds: Vec<String> = program
            .rounds
            .iter()
            .zip(&bare.rounds)
            .map(|(program, bare)| format!("{:.2}", program / bare))
            .collect();
        say(&format!("  ratio {ratio:.2} (by round: {})", rounds.join(", ")));
        let least = if kind == Kind::Page { 0.5 } else { 0.6 };
        self.aim(
            format!("{}, part of the bare handler's", kind.name()),
            format!("≥ {least}"),
            format!("{ratio:.2}"),
            ratio >= least,
        );
    }

    /// The page at a fixed rate.
    pub fn steady(&mut self, is_bare: bool, figures: &Figures) {
        if is_bare {
            row("bare", figures, None);
            return;
        }
        say("\nThe seed's page, 200 requests a second whether answered or not");
        head();
        row("program", figures, None);
        self.at_most("page at 200 a second, p99", 10.0, " ms", figures.within(99));
    }

    pub fn compressed(&mut self, figures: &Figures) {
        row("program, as browsers ask: compressed", figures, None);
    }

    pub fn under_load(&mut self, peak_kib: u64) {
        self.at_most("memory, most under load", 80.0, " MiB", mebi(peak_kib));
    }

    /// Reading an access token beside reading the details of the same connection.
    pub fn tokens(&mut self, pair: [Figures; 2], opened: u64) {
        say("\nThe access token of one connection, and its details, 64 connections");
        head();
        let [token, details] = &pair;
        row("access token", token, None);
        row("details", details, None);
        say(&format!("  the vault was opened {opened} times"));
        let ratio = token.per_second() / details.per_second();
        self.aim("access token, part of the details query's", "≥ 0.7", format!("{ratio:.2}"), ratio >= 0.7);
        // 64 connections may all ask before the first has opened it.
        self.aim("vault opened for all these reads", "≤ 64", opened.to_string(), opened <= 64);
    }

    /// The program with few details and with many, and the bare handler with many.
    pub fn among_many(&mut self, kind: Kind, figures: &[Figures; 3], peaks: [u64; 3]) {
        say(&format!("\n{} of 1000 keys spread over {} and {} details", kind.name(), self.few, self.many));
        head();
        let [small, large, bare] = figures;
        row(&format!("program, {}", self.few), small, Some(peaks[0]));
        row(&format!("program, {}", self.many), large, Some(peaks[1]));
        row(&format!("bare, {}", self.many), bare, Some(peaks[2]));
        let factor = small.per_second() / large.per_second();
        say(&format!("  time × {factor:.2}; ratio to bare {:.2}", large.per_second() / bare.per_second()));
        self.at_most(
            format!("{}, {} details: time of {}", kind.name(), self.many, self.few),
            1.15,
            " ×",
            factor,
        );
    }

    /// The browser's half, as it goes over the wire.
    pub fn sizes(&mut self, folder: &Path) -> Result<()> {
        let mut sum = 0;
        let mut parts = Vec::new();
        for name in ["ipack-connect.wasm.br", "ipack-connect.js.br"] {
            let file = folder.join(name);
            let size = fs::metadata(&file).map_err(|error| format!("{}: {error}", file.display()))?.len();
            parts.push(format!("{name} {:.1} kB", kilo(size)));
            sum += size;
        }
        say(&format!("\nThe browser's half: {}", parts.join(", ")));
        self.at_most("the browser's half, brotli", 200.0, " kB", kilo(sum));
        Ok(())
    }

    pub fn aims(&self) {
        say(&format!("\n{:<48} {:>10} {:>12}", "Aim", "", "measured"));
        for Aim { what, aim, measured, is_met } in &self.aims {
            let verdict = if *is_met { "met" } else { "FALLS SHORT" };
            say(&format!("{what:<48} {aim:>10} {measured:>12}  {verdict}"));
        }
    }
}

fn head() {
    say(&format!(
        "  {:<38} {:>10} {:>8} {:>8} {:>10} {:>9}",
        "", "requests/s", "p50 ms", "p99 ms", "CPU µs each", "peak MiB"
    ));
}

fn row(name: &str, figures: &Figures, peak_kib: Option<u64>) {
    let peak = peak_kib.map(|peak| format!("{:.1}", mebi(peak))).unwrap_or_default();
    say(&format!(
        "  {name:<38} {:>10.0} {:>8.2} {:>8.2} {:>11.0} {peak:>9}",
        figures.per_second(),
        figures.within(50),
        figures.within(99),
        figures.cpu_micros(),
    ));
}

fn mebi(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1_024.0
}

fn kilo(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1_000.0
}
