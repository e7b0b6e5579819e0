//! Objects of the platform's documentation of which there are none here. Clients that follow it select their fields, and
//! get null or an empty list.

use async_graphql::{ID, SimpleObject};

/// Accounts that share a Space.
#[derive(SimpleObject)]
pub struct AccountGroup {
    id: ID,
    name: Option<String>,
}

/// How a Space looks.
#[derive(SimpleObject)]
pub struct SpaceTheme {
    logo_url: Option<String>,
    logo_alt_txt: Option<String>,
}

/// A runtime.
#[derive(SimpleObject)]
pub struct Atom {
    id: ID,
    name: Option<String>,
}

/// When a process runs.
#[derive(SimpleObject)]
pub struct ProcessSchedules {
    id: ID,
    process_id: Option<ID>,
    atom_id: Option<ID>,
    env_id: Option<ID>,
    schedule: Option<Vec<ProcessSchedule>>,
    retry: Option<ProcessScheduleRetry>,
}

/// Moments at which a process runs.
#[derive(SimpleObject)]
pub struct ProcessSchedule {
    minutes: Option<String>,
    hours: Option<String>,
    days_of_week: Option<String>,
    days_of_month: Option<String>,
    months: Option<String>,
    years: Option<String>,
}

/// What is done about a run that failed.
#[derive(SimpleObject)]
pub struct ProcessScheduleRetry {
    schedule: Option<Vec<ProcessSchedule>>,
    max_retry: Option<i32>,
}
