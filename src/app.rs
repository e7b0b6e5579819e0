//! The application: its routes. The HTML around it is the server's (`server::shell`).
//!
//! A new page is a file in `pages` and a line here; pages with data render completely before they are sent
//! (`SsrMode::Async`), so that they have their status and work without JavaScript.

use crate::pages::{
    connector::ConnectorPage, instance::InstancePage, not_found::NotFoundPage, overview::OverviewPage,
    sign_in::SignInPage,
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
    // Tells tests, and whoever looks, that the page has woken up.
    Effect::new(|| {
        if let Some(body) = document().body() {
            let _ = body.set_attribute("data-hydrated", "true");
        }
    });
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
                <Route path=path!("/login") view=SignInPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
