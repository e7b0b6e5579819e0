//! Media types of GraphQL over HTTP: what a client wants back, and what it may send.
//!
//! Another type that answers can have is a variant of [`Media`] with its name.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// The type made for GraphQL: the status says whether the request was executed.
    GraphQl,
    /// For clients that know only this: 200 for everything that is a GraphQL request at all.
    Json,
}

impl Media {
    const ALL: [Self; 2] = [Self::GraphQl, Self::Json];

    fn subtype(self) -> &'static str {
        match self {
            Self::GraphQl => "graphql-response+json",
            Self::Json => "json",
        }
    }

    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    /// What the client likes best; of two that it likes alike, GraphQL's own. Without any wish, that one too.
    pub fn wanted(headers: &HeaderMap) -> Option<Self> {
        let accept = joined(headers, ACCEPT)?;
        if accept.trim().is_empty() {
            return Some(Self::GraphQl);
        }
        let ranges: Vec<Range> = accept.split(',').filter_map(Range::parse).collect();
        let mut best = None;
        for media in Self::ALL {
            // The most specific range decides, as RFC 9110 has it.
            let range = ranges.iter().filter_map(|range| Some((range.fits(media)?, range.quality)));
            let quality = range.max_by_key(|(specific, _)| *specific).map_or(0, |(_, quality)| quality);
            if quality > best.map_or(0, |(_, quality)| quality) {
                best = Some((media, quality));
            }
        }
        best.map(|(media, _)| media)
    }
}

/// All values of a header as one; `None` where one of them is not text.
fn joined(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values: Result<Vec<&str>, _> = headers.get_all(name).iter().map(HeaderValue::to_str).collect();
    values.ok().map(|values| values.join(","))
}

struct Range {
    main: String,
    sub: String,
    /// In thousandths.
    quality: u16,
}

impl Range {
    /// `None` for what is not a range, or asks for text that is not UTF-8.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let mut quality = 1_000;
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = thousandths(value.trim())?,
                "charset" if !is_utf8(value) => return None,
                _ => {}
            }
        }
        Some(Self { main: main.to_ascii_lowercase(), sub: sub.to_ascii_lowercase(), quality })
    }

    /// How specifically it names this type, if it does.
    fn fits(&self, media: Media) -> Option<u8> {
        match (self.main.as_str(), self.sub.as_str()) {
            ("*", "*") => Some(0),
            ("application", "*") => Some(1),
            ("application", sub) if sub == media.subtype() => Some(2),
            _ => None,
        }
    }
}

/// `0` to `1` with up to three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(decimals),
        "1" if decimals == 0 => Some(1_000),
        _ => None,
    }
}

fn is_utf8(charset: &str) -> bool {
    charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
}

/// Whether the body is said to be JSON, in UTF-8 and not compressed. Nothing else is read, and in particular nothing
/// that a form of another site can send.
pub fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let mut parameters = parts.filter_map(|part| part.split_once('='));
    let readable =
        parameters.all(|(name, value)| !name.trim().eq_ignore_ascii_case("charset") || is_utf8(value));
    let plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    named && readable && plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_wish_is_understood() {
        use Media::{GraphQl, Json};
        for (accept, expected) in [
            ("", Some(GraphQl)),
            ("*/*", Some(GraphQl)),
            ("application/*", Some(GraphQl)),
            ("application/json", Some(Json)),
            ("Application/JSON; charset=UTF-8", Some(Json)),
            ("application/json, */*;q=0.1", Some(Json)),
            ("application/graphql-response+json", Some(GraphQl)),
            ("application/json, application/graphql-response+json", Some(GraphQl)),
            ("application/json, application/graphql-response+json;q=0.9", Some(Json)),
            ("application/json;q=0.500, application/graphql-response+json;q=0.501", Some(GraphQl)),
            ("text/html, */*;q=0.8", Some(GraphQl)),
            ("*/*, application/graphql-response+json;q=0", Some(Json)),
            ("application/json;q=0", None),
            ("application/json;q=2", None),
            ("application/json; charset=utf-16", None),
            ("text/html", None),
            ("application/xml, text/*", None),
            ("nonsense", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Media::wanted(&headers), expected, "{accept:?}");
        }
        assert_eq!(Media::wanted(&HeaderMap::new()), Some(GraphQl));
    }

    #[test]
    fn s33_only_json_is_read() {
        for (content_type, expected) in [
            ("application/json", true),
            ("Application/Json;charset=UTF-8", true),
            ("application/json; charset=\"utf-8\"", true),
            ("application/json; charset=latin1", false),
            ("application/graphql", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("text/plain", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            assert_eq!(is_json(&headers), expected, "{content_type:?}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
