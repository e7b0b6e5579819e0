//! What every handler shares.

use crate::config::Config;
use crate::{assets::Assets, sign_in_limits::SignInLimits};
use axum::extract::FromRef;
use ipack_core::Services;
use ipack_web::context::WebContext;
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

impl AppState {
    pub fn web_context(&self) -> WebContext {
        WebContext {
            services: self.services.clone(),
            is_https: self.config.is_https(),
            site_version: self.assets.version.clone(),
            leptos: self.leptos.clone(),
        }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
