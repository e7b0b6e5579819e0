//! What came out, for reading: each figure as it comes, and at the end the aims.

use super::{Result, load::Figures, machine::Noise, requests::Kind};
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
    lines: Vec<String>,
    noise: Noise,
}

impl Report {
    pub fn new(few: u32, many: u32, machine: &str) -> Self {
        say(machine);
        Self { few, many, aims: Vec::new(), lines: Vec::new(), noise: Noise::new() }
    }

    fn aim(&mut self, what: impl Into<String>, aim: impl Into<String>, measured: String, is_met: bool) {
        self.aims.push(Aim { what: what.into(), aim: aim.into(), measured, is_met });
    }

    fn at_most(&mut self, what: impl Into<String>, limit: f64, unit: &str, measured: f64) {
        let decimals = if limit < 10.0 { 2 } else { 1 };
        let measured_text = format!("{measured:.decimals$}{unit}");
        self.aim(what, format!("≤ {limit}{unit}"), measured_text, measured <= limit);
    }

    pub fn started(&mut self, what: &str, starts: &[Duration], idle_kib: u64) {
        let millis: Vec<f64> = starts.iter().map(|start| start.as_secs_f64() * 1e3).collect();
        let all: Vec<String> = millis.iter().map(|millis| format!("{millis:.0}")).collect();
        let median = millis.get(millis.len() / 2).copied().unwrap_or(f64::NAN);
        self.line(format!(
            "Start to first page, {what}: {} ms; idle: {:.1} MiB",
            all.join(", "),
            mebi(idle_kib)
        ));
        self.at_most(format!("first page after the start, {what}"), 150.0, " ms", median);
        self.at_most(format!("memory, idle, {what}"), 40.0, " MiB", mebi(idle_kib));
    }

    /// What the program computes on a large input, in milliseconds.
    pub fn computed(&mut self, what: impl Into<String>, limit: f64, took: Duration) {
        let (what, millis) = (what.into(), took.as_secs_f64() * 1e3);
        self.line(format!("{what}: {millis:.1} ms"));
        self.at_most(what, limit, " ms", millis);
    }

    /// The program and another one, and the ratio of their rates.
    pub fn beside(&mut self, what: &str, pair: [Figures; 2], other: &str, least: f64, peaks: [u64; 2]) {
        self.line(format!("\n{what}, 64 connections"));
        self.head();
        let [program, beside] = &pair;
        self.row("program", program, Some(peaks[0]));
        self.row(other, beside, Some(peaks[1]));
        let ratio = program.per_second() / beside.per_second();
        let rounds: Vec<f64> =
            program.rounds.iter().zip(&beside.rounds).map(|(program, other)| program / other).collect();
        self.noise.note(&rounds);
        let rounds: Vec<String> = rounds.iter().map(|ratio| format!("{ratio:.2}")).collect();
        self.line(format!("  ratio {ratio:.2} (by round: {})", rounds.join(", ")));
        let is_met = ratio >= least;
        self.aim(format!("{what}, × {other}"), format!("≥ {least}"), format!("{ratio:.2}"), is_met);
    }

    /// How long the slowest saves took.
    pub fn slowest(&mut self, what: &str, figures: &Figures) {
        self.at_most(format!("{what}, p99"), 60.0, " ms", figures.within(99));
    }

    /// Saves on a disk whose every sync takes as long as `sync`.
    pub fn slow_disk(&mut self, sync: Duration, figures: &Figures) {
        let what = format!("saves, each sync {} ms longer", sync.as_millis());
        self.line(format!("\n{what}, 64 connections"));
        self.head();
        self.row("program", figures, None);
        let rate = figures.per_second();
        self.aim(format!("{what}, a second"), "≥ 1500", format!("{rate:.0}"), rate >= 1_500.0);
    }

    /// Two replicas beside one, over the same database.
    pub fn replicas(&mut self, what: &str, figures: [Figures; 2], least: f64) {
        self.line(format!("\n{what}, 64 connections"));
        self.head();
        let [one, two] = &figures;
        self.row("one replica", one, None);
        self.row("two replicas", two, None);
        let ratio = two.per_second() / one.per_second();
        self.aim(what, format!("≥ {least}"), format!("{ratio:.2}"), ratio >= least);
    }

    /// The page at a fixed rate.
    pub fn steady(&mut self, is_bare: bool, figures: &Figures) {
        if is_bare {
            self.row("bare", figures, None);
            return;
        }
        self.line("\nThe seed's page, 200 requests a second whether answered or not");
        self.head();
        self.row("program", figures, None);
        self.at_most("page at 200 a second, p99", 10.0, " ms", figures.within(99));
    }

    pub fn compressed(&mut self, figures: &Figures) {
        self.row("program, as browsers ask: compressed", figures, None);
    }

    pub fn under_load(&mut self, peak_kib: u64) {
        self.at_most("memory, most under load", 80.0, " MiB", mebi(peak_kib));
    }

    /// Reading an access token beside reading the details of the same connection.
    pub fn tokens(&mut self, pair: [Figures; 2], opened: u64) {
        self.line("\nThe access token of one connection, and its details, 64 connections");
        self.head();
        let [token, details] = &pair;
        self.row("access token", token, None);
        self.row("details", details, None);
        self.line(format!("  the vault was opened {opened} times"));
        let ratio = token.per_second() / details.per_second();
        self.aim("access token, part of the details query's", "≥ 0.7", format!("{ratio:.2}"), ratio >= 0.7);
        // 64 connections may all ask before the first has opened it.
        self.aim("vault opened for all these reads", "≤ 64", opened.to_string(), opened <= 64);
    }

    /// The program with few details and with many, and the bare handler with many.
    pub fn among_many(&mut self, kind: Kind, figures: &[Figures; 3], peaks: [u64; 3]) {
        self.line(format!(
            "\n{} of 1000 keys spread over {} and {} details",
            kind.name(),
            self.few,
            self.many
        ));
        self.head();
        let [small, large, bare] = figures;
        self.row(&format!("program, {}", self.few), small, Some(peaks[0]));
        self.row(&format!("program, {}", self.many), large, Some(peaks[1]));
        self.row(&format!("bare, {}", self.many), bare, Some(peaks[2]));
        let factor = small.per_second() / large.per_second();
        self.line(format!(
            "  time × {factor:.2}; ratio to bare {:.2}",
            large.per_second() / bare.per_second()
        ));
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
        self.line(format!("\nThe browser's half: {}", parts.join(", ")));
        self.at_most("the browser's half, brotli", 200.0, " kB", kilo(sum));
        Ok(())
    }

    /// What came out: the ratios and the other aims first, then the rates.
    pub fn tell(&self) {
        say(&format!("\n{:<56} {:>10} {:>12}", "Aim", "", "measured"));
        for Aim { what, aim, measured, is_met } in &self.aims {
            let verdict = if *is_met { "met" } else { "FALLS SHORT" };
            say(&format!("{what:<56} {aim:>10} {measured:>12}  {verdict}"));
        }
        for line in &self.lines {
            say(line);
        }
        say(&format!("\n{}", self.noise.told()));
    }

    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    fn head(&mut self) {
        self.line(format!(
            "  {:<38} {:>10} {:>8} {:>8} {:>10} {:>9}",
            "", "requests/s", "p50 ms", "p99 ms", "CPU µs each", "peak MiB"
        ));
    }

    fn row(&mut self, name: &str, figures: &Figures, peak_kib: Option<u64>) {
        let peak = peak_kib.map(|peak| format!("{:.1}", mebi(peak))).unwrap_or_default();
        self.line(format!(
            "  {name:<38} {:>10.0} {:>8.2} {:>8.2} {:>11.0} {peak:>9}",
            figures.per_second(),
            figures.within(50),
            figures.within(99),
            figures.cpu_micros(),
        ));
    }
}

fn mebi(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1_024.0
}

fn kilo(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1_000.0
}
