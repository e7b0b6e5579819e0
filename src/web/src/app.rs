//! The application: its routes. The HTML around it is `shell`'s.
//!
//! A new page is a file in `pages` and a line here. Every page is rendered completely before it is sent
//! (`SsrMode::Async`), so that it has its status and works without JavaScript.

use crate::pages::{
    connector::ConnectorPage, instance::InstancePage, not_found::NotFoundPage, overview::OverviewPage,
    preflight::PreflightPage, sign_in::SignInPage,
};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    path,
};

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/") view=OverviewPage ssr=SsrMode::Async />
                <Route
                    path=path!("/spaces/:space/instances/:instance")
                    view=InstancePage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!(
                        "/spaces/:space/instances/:instance/environments/:environment/processes/:process/connections/:connection"
                    )
                    view=ConnectorPage
                    ssr=SsrMode::Async
                />
                <Route
                    path=path!(
                        "/spaces/:space/instances/:instance/environments/:environment/processes/:process/connections/:connection/preflight"
                    )
                    view=PreflightPage
                    ssr=SsrMode::Async
                />
                <Route path=path!("/login") view=SignInPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
