//! What the server hands to every page that is rendered and every server function that runs.

use ipack_core::Services;
use leptos::config::LeptosOptions;

#[derive(Debug, Clone)]
pub struct WebContext {
    pub services: Services,
    /// Browsers reach the server by https, so that cookies are for https alone.
    pub is_https: bool,
    /// Stands in the addresses of script and style: changes when any of the site's files does.
    pub site_version: String,
    /// Read by the script that reloads a page under `cargo leptos watch`.
    pub leptos: LeptosOptions,
}
