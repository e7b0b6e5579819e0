//! Large inputs, as anybody may send them: how long the program computes on each, in this process and without a
//! database.

use super::report::Report;
use ipack_domain::{details::Details, form::Parameter, merge::merge_rows};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const ROUNDS: usize = 5;

pub fn measure(report: &mut Report) {
    let text = format!(r#"{{"{}":[{}]}}"#, "k".repeat(400_000), vec!["0"; 250_000].join(","));
    report.computed("details of 900 kB, parsed", 100.0, fastest(|| Details::parse(&text)));
    for (count, limit) in [(3_000, 100.0), (20_000, 500.0)] {
        let (kept, posted) = (rows(count, "kept"), rows(count, "posted"));
        let base = rows(count, "base");
        let took = fastest(|| merge_rows(&base, &kept, &posted));
        report.computed(format!("{count} rows, merged with {count}"), limit, took);
    }
}

fn rows(count: usize, value: &str) -> Vec<Parameter> {
    (0..count).map(|number| Parameter::new(format!("key-{number}"), value)).collect()
}

fn fastest<T>(work: impl Fn() -> T) -> Duration {
    let time = |_| {
        let begin = Instant::now();
        black_box(work());
        begin.elapsed()
    };
    (0..ROUNDS).map(time).min().unwrap_or_default()
}
