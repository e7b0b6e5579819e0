//! Asking, by as many connections at once as the aims speak of, and what that took. Every answer is looked at: one
//! that is wrong ends the benchmark.

use super::{Result, http::Connection, requests::Work, servers::Server};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

pub const CONNECTIONS: usize = 64;

#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub warm_up: Duration,
    pub measured: Duration,
}

impl Plan {
    /// What is warm already needs less of it.
    pub fn in_round(self, round: usize) -> Self {
        if round == 0 { self } else { Self { warm_up: self.warm_up / 4, ..self } }
    }
}

/// What a load took; several rounds add up.
#[derive(Debug, Default)]
pub struct Figures {
    seconds: f64,
    /// In microseconds.
    latencies: Vec<u32>,
    /// Of the answering process.
    cpu: Duration,
    /// Requests a second of each round.
    pub rounds: Vec<f64>,
}

impl Figures {
    fn new(latencies: Vec<u32>, took: Duration, cpu: Duration) -> Self {
        let seconds = took.as_secs_f64();
        let rounds = vec![f64::from(u32::try_from(latencies.len()).unwrap_or(u32::MAX)) / seconds];
        Self { seconds, latencies, cpu, rounds }
    }

    pub fn add(&mut self, round: Self) {
        self.seconds += round.seconds;
        self.cpu += round.cpu;
        self.latencies.extend(round.latencies);
        self.latencies.sort_unstable();
        self.rounds.extend(round.rounds);
    }

    fn count(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX))
    }

    pub fn per_second(&self) -> f64 {
        self.count() / self.seconds
    }

    /// Microseconds of processor time for one request.
    pub fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.count()
    }

    /// Milliseconds within which this part of the answers came.
    pub fn within(&self, percent: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (self.latencies.len() * percent / 100).min(last);
        self.latencies.get(at).map_or(f64::NAN, |micros| f64::from(*micros) / 1e3)
    }
}

/// Each connection asks again as soon as it is answered. With several servers they take turns in getting connections.
pub async fn closed(servers: &[&Server], work: &Arc<Work>, plan: Plan) -> Result<Figures> {
    let begin = Instant::now() + plan.warm_up;
    let end = begin + plan.measured;
    let mut askers = JoinSet::new();
    for number in 0..CONNECTIONS {
        let work = work.clone();
        let mut connection = Connection::open(servers[number % servers.len()].address).await?;
        askers.spawn(async move {
            let mut latencies = Vec::new();
            // Each connection begins elsewhere and goes through all requests in great steps.
            let mut at = number * 7_919;
            loop {
                let asked = Instant::now();
                if asked >= end {
                    return Ok(latencies);
                }
                at += 389;
                work.ask(&mut connection, at).await?;
                if asked >= begin && Instant::now() < end {
                    latencies.push(micros(asked.elapsed()));
                }
            }
        });
    }
    let cpu = cpu_of(servers, begin, end);
    let (latencies, cpu) = tokio::join!(gather(askers), cpu);
    Ok(Figures::new(latencies?, plan.measured, cpu?))
}

/// So many requests a second, whether or not those before are answered. The time of each counts from the moment at
/// which it was due, so that none is forgiven for having waited.
pub async fn open(server: &Server, work: &Arc<Work>, per_second: u32, plan: Plan) -> Result<Figures> {
    let start = Instant::now();
    let begin = start + plan.warm_up;
    let end = begin + plan.measured;
    let next = Arc::new(AtomicU32::new(0));
    let mut askers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (work, next) = (work.clone(), next.clone());
        let mut connection = Connection::open(server.address).await?;
        askers.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let due = start + Duration::from_secs(1) * number / per_second;
                if due >= end {
                    return Ok(latencies);
                }
                tokio::time::sleep_until(due.into()).await;
                work.ask(&mut connection, number as usize).await?;
                if due >= begin {
                    latencies.push(micros(due.elapsed()));
                }
            }
        });
    }
    let servers = [server];
    let (latencies, cpu) = tokio::join!(gather(askers), cpu_of(&servers, begin, end));
    Ok(Figures::new(latencies?, plan.measured, cpu?))
}

async fn gather(mut askers: JoinSet<Result<Vec<u32>>>) -> Result<Vec<u32>> {
    let mut all = Vec::new();
    while let Some(latencies) = askers.join_next().await {
        all.extend(latencies??);
    }
    all.sort_unstable();
    Ok(all)
}

async fn cpu_of(servers: &[&Server], begin: Instant, end: Instant) -> Result<Duration> {
    let cpu = || servers.iter().map(|server| server.cpu()).sum::<Result<Duration>>();
    tokio::time::sleep_until(begin.into()).await;
    let before = cpu()?;
    tokio::time::sleep_until(end.into()).await;
    Ok(cpu()?.saturating_sub(before))
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
