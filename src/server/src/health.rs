//! `/healthz`, `/readyz`, `/readyz/read` and `/metrics`.

use crate::state::AppState;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
};
use ipack_core::{ServiceError, Services, health::Health};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Upper bounds of the buckets, in seconds.
const BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// One recorder for the process.
static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts counting; a second call changes nothing.
pub fn start_counting() {
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full("http_request_duration_seconds".into()), &BUCKETS)
            .ok()?;
        builder.install_recorder().ok()
    });
}

/// Alive: the process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// Ready: the database can be read and written to, and is migrated.
pub async fn ready(State(state): State<AppState>) -> Response {
    told(state.services.health().await)
}

/// Ready for reading: the database can be read, and is migrated.
pub async fn ready_to_read(State(state): State<AppState>) -> Response {
    told(state.services.reading_health().await)
}

fn told(health: Health) -> Response {
    let why = match health {
        Health::Good => return "ready\n".into_response(),
        Health::NotMigrated => "the database is not migrated\n",
        Health::Unreadable => "the database cannot be read: it is away, or no connection is free\n",
        Health::Busy => "the database cannot be written to: somebody holds it, or it takes too long\n",
        Health::Unwritable => "the database cannot be written to: it is full, or fails\n",
    };
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

/// How often what was measured is summed up.
const SUM_UP_EVERY: Duration = Duration::from_secs(5);

/// Sums up what was measured, again and again: until then each duration is kept for itself, also where nobody ever asks
/// for `/metrics`.
pub async fn sum_up_periodically() {
    let mut often = tokio::time::interval(SUM_UP_EVERY);
    loop {
        often.tick().await;
        sum_up();
    }
}

/// Connections are counted so often at most, and never for more than a twentieth of the time.
const COUNT_CONNECTIONS_EVERY: Duration = Duration::from_secs(60);

/// Counts the connections in each state, again and again. Each replica tells the numbers of the whole database.
pub async fn count_connections_periodically(services: Services) {
    loop {
        let begun = Instant::now();
        if let Err(error) = count_connections(&services).await {
            tracing::warn!(error = %error, "connections could not be counted");
        }
        tokio::time::sleep(COUNT_CONNECTIONS_EVERY.max(begun.elapsed() * 20)).await;
    }
}

/// # Errors
/// Where they cannot be read.
pub async fn count_connections(services: &Services) -> Result<(), ServiceError> {
    for (state, count) in services.count_states().await? {
        metrics::gauge!("ipack_connections", "state" => state.name()).set(count as f64);
    }
    Ok(())
}

fn sum_up() {
    if let Some(handle) = METRICS.get().and_then(Option::as_ref) {
        handle.run_upkeep();
    }
}

pub async fn metrics() -> Response {
    sum_up();
    let text = METRICS.get().and_then(Option::as_ref).map(PrometheusHandle::render);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.unwrap_or_default()).into_response()
}

/// Counts requests and how long they took, by route and status.
pub async fn count(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = known_method(request.method()).to_owned();
    let response = next.run(request).await;
    let labels = [("method", method), ("route", route), ("status", response.status().as_u16().to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels[..2]).record(start.elapsed().as_secs_f64());
    response
}

/// A method can be any word of the caller's, and each new one would be counted, and remembered, for itself.
fn known_method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of memory that this process has.
    fn memory() -> usize {
        let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux says so");
        let resident = pages.split(' ').nth(1).expect("the second number");
        resident.parse::<usize>().expect("a number") * 4_096
    }

    #[test]
    fn measuring_takes_no_memory_while_nobody_asks_for_metrics() {
        start_counting();
        let durations =
            metrics::histogram!("http_request_duration_seconds", "method" => "GET", "route" => "/test");
        let before = memory();
        for _ in 0..60 {
            // As many as come between two times of summing up on a busy day.
            (0..50_000).for_each(|_| durations.record(0.001));
            sum_up();
        }
        // 3,000,000 durations would be 24 MB.
        let more = memory().saturating_sub(before);
        assert!(more < 12_000_000, "{more} bytes");
        let text = METRICS.get().and_then(Option::as_ref).expect("it counts").render();
        assert!(text.contains("3000000"), "{text}");
    }
}
