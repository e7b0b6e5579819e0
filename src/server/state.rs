//! What every handler shares.
//!
//! A new field is made once in `server::router`, and cheap to clone.

use super::{assets::Assets, sign_in_limits::SignInLimits};
use crate::{config::Config, services::Services};
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct AppState {
    pub services: Services,
    pub config: Arc<Config>,
    pub assets: Arc<Assets>,
    pub sign_ins: Arc<SignInLimits>,
    pub leptos: LeptosOptions,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
