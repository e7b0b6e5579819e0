//! The site's files: style, script, wasm and pictures, embedded in the release program.
//!
//! Addresses of what changes with a build carry a version, and are kept by browsers for a year; all else is asked for
//! again and answered 304.
//!
//! Which coding a browser accepts is read here: tower-http's `ServeDir`, which can, names a file's version by its time
//! and not by its content.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY},
    },
    response::{IntoResponse, Response},
};
use headers::{HeaderMapExt, IfNoneMatch};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::{borrow::Cow, sync::Arc};

/// In a debug build these are read from the folder at each request, so that `cargo leptos watch` shows changes.
#[derive(RustEmbed)]
#[folder = "../../target/site"]
#[allow_missing = true]
struct Site;

/// What the shell needs to know of the files.
#[derive(Debug, Clone)]
pub struct Assets {
    /// Changes when any file of the site does.
    pub version: String,
}

impl Assets {
    pub fn new() -> Self {
        let mut digest = Sha256::new();
        for name in Site::iter() {
            if let Some(file) = Site::get(&name) {
                digest.update(file.metadata.sha256_hash());
            }
        }
        Self { version: hex::encode(&digest.finalize()[..6]) }
    }
}

impl Default for Assets {
    fn default() -> Self {
        Self::new()
    }
}

/// Answers a file of the site, or `None` where there is no such file.
pub fn respond(uri: &Uri, headers: &HeaderMap, assets: &Assets) -> Option<Response> {
    let name = uri.path().trim_start_matches('/');
    let plain = Site::get(name)?;
    let etag = format!("\"{}\"", hex::encode(&plain.metadata.sha256_hash()[..16]));
    let is_versioned = uri.query() == Some(&format!("v={}", assets.version));
    let mut answer = Response::builder()
        .header(CONTENT_TYPE, media_type(plain.metadata.mimetype()))
        .header(ETAG, &etag)
        .header(VARY, "accept-encoding")
        .header(CACHE_CONTROL, if is_versioned { "public, max-age=31536000, immutable" } else { "no-cache" });
    let etag = etag.parse().ok()?;
    if headers.typed_get::<IfNoneMatch>().is_some_and(|seen| !seen.precondition_passes(&etag)) {
        return answer.status(StatusCode::NOT_MODIFIED).body(Body::empty()).ok();
    }
    let compressed = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(coding, _)| accepts(headers, coding))
        .find_map(|(coding, suffix)| Some((coding, Site::get(&format!("{name}{suffix}"))?)));
    let data = match compressed {
        Some((coding, file)) => {
            answer = answer.header(CONTENT_ENCODING, HeaderValue::from_static(coding));
            file.data
        }
        None => plain.data,
    };
    let body = match data {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    answer.body(body).ok()
}

/// RFC 9110, section 12.5.3: a coding is accepted where it, or else `*`, is named with a weight above nought.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    let named = |wanted: &str| {
        let values = headers.get_all(ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).find_map(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            name.trim().eq_ignore_ascii_case(wanted).then_some(weight.is_some_and(|weight| weight > 0.0))
        })
    };
    named(coding).or_else(|| named("*")).unwrap_or(false)
}

/// For the paths that only ever are files.
pub async fn file(State(assets): State<Arc<Assets>>, request: Request) -> Response {
    respond(request.uri(), request.headers(), &assets)
        .unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

/// All text is UTF-8.
fn media_type(guessed: &str) -> String {
    let charset = if guessed.starts_with("text/") { "; charset=utf-8" } else { "" };
    format!("{guessed}{charset}")
}
