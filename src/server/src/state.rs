//! What every handler shares.

use crate::config::Config;
use crate::{assets::Assets, sign_in_limits::SignInLimits};
use axum::extract::FromRef;
use ipack_core::Services;
use ipack_web::context::WebContext;
use leptos::config::LeptosOptions;
use std::{ops::Deref, sync::Arc};

/// Each layer and each handler has one, and axum clones them for every request.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Shared>);

#[derive(Debug)]
pub struct Shared {
    pub services: Services,
    pub config: Arc<Config>,
    pub assets: Arc<Assets>,
    pub sign_ins: Arc<SignInLimits>,
    pub leptos: LeptosOptions,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl AppState {
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

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
