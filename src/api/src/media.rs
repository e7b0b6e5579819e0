//! Media types of GraphQL over HTTP: what a client wants back, and what it may send.
//!
//! The choice between two is made here, and not by a crate such as `headers-accept`: of two that a client likes alike,
//! the better one for GraphQL counts, and not the one that it named first.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};
use mediatype::{
    MediaType, MediaTypeList, Name, ReadParams,
    names::{_STAR, APPLICATION, CHARSET, JSON, Q},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// The type made for GraphQL: the status says whether the request was executed.
    GraphQl,
    /// For clients that know only this: 200 for everything that is a GraphQL request at all.
    Json,
}

impl Media {
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
        let ranges: Vec<MediaType> =
            MediaTypeList::new(&accept).filter_map(Result::ok).filter(is_utf8).collect();
        let quality = |media: Self| {
            // The most specific range decides, as RFC 9110 has it.
            let fitting = ranges.iter().filter_map(|range| Some((media.fits(range)?, quality(range)?)));
            fitting.max_by_key(|(specific, _)| *specific).map_or(0.0, |(_, quality)| quality)
        };
        let (graphql, json) = (quality(Self::GraphQl), quality(Self::Json));
        let best = if graphql >= json { Self::GraphQl } else { Self::Json };
        (graphql.max(json) > 0.0).then_some(best)
    }

    /// How specifically a range names this type, if it does.
    fn fits(self, range: &MediaType) -> Option<u8> {
        let of_application = range.ty == APPLICATION;
        match self {
            _ if range.ty == _STAR && range.subty == _STAR => Some(0),
            _ if of_application && range.subty == _STAR => Some(1),
            Self::GraphQl if of_application && range.subty == GRAPHQL && range.suffix == Some(JSON) => {
                Some(2)
            }
            Self::Json if of_application && range.subty == JSON && range.suffix.is_none() => Some(2),
            _ => None,
        }
    }
}

const GRAPHQL: Name = Name::new_unchecked("graphql-response");

/// From 0 to 1; `None` for what is no quality.
fn quality(range: &MediaType) -> Option<f32> {
    match range.get_param(Q) {
        Some(quality) => quality.as_str().parse().ok().filter(|quality| (0.0..=1.0).contains(quality)),
        None => Some(1.0),
    }
}

/// All values of a header as one; `None` where one of them is not text.
fn joined(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values: Result<Vec<&str>, _> = headers.get_all(name).iter().map(HeaderValue::to_str).collect();
    values.ok().map(|values| values.join(","))
}

/// Whether it asks for no other encoding of characters.
fn is_utf8(media: &MediaType) -> bool {
    media.get_param(CHARSET).is_none_or(|charset| charset.unquoted_str().eq_ignore_ascii_case("utf-8"))
}

/// Whether the body is said to be JSON, in UTF-8 and not compressed. Nothing else is read, and in particular nothing
/// that a form of another site can send.
pub fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(Ok(text)), None) = (types.next().map(HeaderValue::to_str), types.next()) else { return false };
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let is_plain = codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    let is_json = |media: &MediaType| media.essence() == MediaType::new(APPLICATION, JSON) && is_utf8(media);
    is_plain && MediaType::parse(text).as_ref().is_ok_and(is_json)
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
