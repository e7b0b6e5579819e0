//! What a page's address says: ids in its path, choices in its query.
//!
//! Read from the request and not from the router, which unescapes more than once: an id may well be called `%41`.
//! Whatever else an address says is read here too, and nowhere else.

use axum::http::request::Parts;
use ipack_domain::ids::unsegment;
use leptos::prelude::*;

/// The segment that follows `name` in the path, unescaped once; empty where there is none.
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

/// The value of a field of the query, as forms write them (`+` is a blank); `None` where there is none or it is empty.
pub fn field(name: &str) -> Option<String> {
    let parts = use_context::<Parts>();
    let query = parts.as_ref().and_then(|parts| parts.uri.query()).unwrap_or_default();
    let (_, value) =
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    unsegment(&value.replace('+', " ")).filter(|value| !value.is_empty())
}
