//! The ids in a page's address.

use crate::domain::ids::unsegment;
use axum::http::request::Parts;
use leptos::prelude::*;

/// The segment that follows `name` in the path, unescaped once; empty where there is none. Read from the request and
/// not from the router, which unescapes more than once.
pub fn id_after(name: &str) -> String {
    let parts = use_context::<Parts>();
    let path = parts.as_ref().map(|parts| parts.uri.path()).unwrap_or_default();
    // Names stand at odd places, ids at even ones: an id may well be called `instances`.
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    segments
        .chunks_exact(2)
        .find(|pair| pair[0] == name)
        .and_then(|pair| unsegment(pair[1]))
        .unwrap_or_default()
}
