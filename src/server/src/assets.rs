//! The site's files: style, script, wasm and pictures, embedded in the release program.
//!
//! Addresses of what changes with a build carry a version, and are kept by browsers for a year; all else is asked
//! for again and answered 304. To add a file: put it under `public/`; it is there at the next build.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

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
        Self { version: digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect() }
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
    let etag = hex(&plain.metadata.sha256_hash());
    let is_versioned = uri.query() == Some(&format!("v={}", assets.version));
    let mut answer = Response::builder()
        .header(CONTENT_TYPE, media_type(name))
        .header(ETAG, format!("\"{etag}\""))
        .header(VARY, "accept-encoding")
        .header(CACHE_CONTROL, if is_versioned { "public, max-age=31536000, immutable" } else { "no-cache" });
    if headers.get(IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == format!("\"{etag}\"").as_bytes()) {
        return answer.status(StatusCode::NOT_MODIFIED).body(Body::empty()).ok();
    }
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let compressed = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(coding, _)| accepted.split(',').any(|one| one.trim() == *coding))
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

/// For the paths that only ever are files.
pub async fn file(State(state): State<crate::state::AppState>, request: Request) -> Response {
    respond(request.uri(), request.headers(), &state.assets)
        .unwrap_or_else(|| StatusCode::NOT_FOUND.into_response())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
