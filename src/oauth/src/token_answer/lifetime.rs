//! Lifetimes and moments of expiry, in the spellings that providers use.

use ipack_domain::time::Timestamp;
use serde_json::Value;
use time::{
    OffsetDateTime, PrimitiveDateTime,
    format_description::{
        BorrowedFormatItem,
        well_known::{Iso8601, Rfc2822},
    },
    macros::format_description,
};

const DAY: f64 = 86_400.0;

/// Whole seconds from now: of a number or its text, a span (`1 hour`, `3600s`, `PT1H`) or a moment (seconds since
/// 1970, or a part of them, or a date; at least a second from now). What is negative or none of these is `None`.
pub(super) fn seconds(value: &Value, now: Timestamp) -> Option<i64> {
    match value {
        Value::Number(number) => of_number(number.as_f64()?, now),
        Value::String(text) => of_text(text.trim(), now),
        _ => None,
    }
}

fn of_text(text: &str, now: Timestamp) -> Option<i64> {
    if let Ok(number) = text.parse::<f64>() {
        return of_number(number, now);
    }
    span(text).or_else(|| date(text).map(|at| (at - now.seconds()).max(1)))
}

fn of_number(number: f64, now: Timestamp) -> Option<i64> {
    let today = now.seconds() as f64;
    // No lifetime is that long, unless it is a moment of today or later.
    let is_moment = |at: f64| at >= 1e9 && at >= today - DAY && at < 1e11;
    let units = [1.0, 1e3, 1e6];
    let seconds = units.map(|unit| number / unit).into_iter().find(|at| is_moment(*at));
    match seconds {
        Some(at) => Some((at - today).max(1.0) as i64),
        None => (number >= 0.0 && number.is_finite()).then_some(number as i64),
    }
}

/// Numbers, each with its unit.
fn span(text: &str) -> Option<i64> {
    let text: String = text.to_ascii_lowercase().split_whitespace().collect();
    // ISO 8601 has letters that stand for no unit.
    let text = text.strip_prefix('p').map_or(text.clone(), |span| span.replace('t', ""));
    let mut rest = text.as_str();
    let mut sum = None;
    while !rest.is_empty() {
        let unit = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..unit].parse().ok()?;
        rest = &rest[unit..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let factor = match &rest[..end] {
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => DAY,
            "w" | "week" | "weeks" => 7.0 * DAY,
            _ => return None,
        };
        rest = &rest[end..];
        sum = Some(sum.unwrap_or(0.0) + number * factor);
    }
    sum.map(|seconds| seconds as i64)
}

/// What is written besides ISO 8601, RFC 2822 and HTTP's own forms, all of it in UTC: as Java, and in the order of the
/// United States.
const DATES: [&[BorrowedFormatItem<'_>]; 3] = [
    format_description!("[weekday repr:short] [month repr:short] [day] [hour]:[minute]:[second] UTC [year]"),
    format_description!(
        "[month padding:none]/[day padding:none]/[year] [hour repr:12 padding:none]:[minute]:[second] [period]"
    ),
    format_description!(
        "[month padding:none]/[day padding:none]/[year] [hour padding:none]:[minute]:[second]"
    ),
];

/// Seconds since 1970. A date without a zone is in UTC.
fn date(text: &str) -> Option<i64> {
    if let Some(milliseconds) = text.strip_prefix("/Date(").and_then(|text| text.strip_suffix(")/")) {
        return milliseconds.parse::<i64>().ok().map(|milliseconds| milliseconds / 1_000);
    }
    let iso = text.trim_end_matches("UTC").trim_end().replacen(' ', "T", 1);
    OffsetDateTime::parse(text, &Rfc2822)
        .or_else(|_| OffsetDateTime::parse(&iso, &Iso8601::PARSING))
        .or_else(|_| PrimitiveDateTime::parse(&iso, &Iso8601::PARSING).map(PrimitiveDateTime::assume_utc))
        .ok()
        // RFC 9110, section 5.6.7: the forms of RFC 850 and of C's asctime too.
        .or_else(|| httpdate::parse_http_date(text).ok().map(OffsetDateTime::from))
        .or_else(|| {
            let mut dates =
                DATES.into_iter().filter_map(|format| PrimitiveDateTime::parse(text, format).ok());
            dates.next().map(PrimitiveDateTime::assume_utc)
        })
        .map(OffsetDateTime::unix_timestamp)
}

/// Seconds to wait after an answer with this `Retry-After` (RFC 9110, section 10.2.3). Of several that a proxy joined, the
/// first.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<i64> {
    let first = text.split(',').next().unwrap_or_default();
    of_text(text.trim(), now).or_else(|| of_text(first.trim(), now)).filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// 2023-11-14T22:13:20Z.
    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    #[test]
    fn lifetimes_are_read_in_any_spelling() {
        for (written, expected) in [
            (json!(3600), Some(3_600)),
            (json!("3600"), Some(3_600)),
            (json!(" 3600 "), Some(3_600)),
            (json!(3599.9), Some(3_599)),
            (json!("3600.0"), Some(3_600)),
            (json!(0), Some(0)),
            (json!(i64::MAX), Some(i64::MAX)),
            (json!(1e300), Some(i64::MAX)),
            (json!("3600s"), Some(3_600)),
            (json!("1 hour"), Some(3_600)),
            (json!("90 Minutes"), Some(5_400)),
            (json!("30 days"), Some(2_592_000)),
            (json!("PT1H30M"), Some(5_400)),
            (json!("P1DT1S"), Some(86_401)),
            (json!(1_700_003_600), Some(3_600)),
            (json!("1700003600"), Some(3_600)),
            (json!(1_700_003_600_000_i64), Some(3_600)),
            (json!("2023-11-14T23:13:20Z"), Some(3_600)),
            (json!("2023-11-15T00:13:20+01:00"), Some(3_600)),
            (json!("2023-11-14T23:13:20.250Z"), Some(3_600)),
            (json!("2023-11-14 23:13:20"), Some(3_600)),
            (json!("2023-11-14 23:13:20 UTC"), Some(3_600)),
            (json!("Tue, 14 Nov 2023 23:13:20 GMT"), Some(3_600)),
            (json!("Tue, 14 Nov 2023 23:13:20 +0000"), Some(3_600)),
            (json!("2023-11-14T23:13:20+0000"), Some(3_600)),
            (json!("2023-11-14T23:13:20.1234567Z"), Some(3_600)),
            (json!("2023-11-14T23:13Z"), Some(3_580)),
            (json!("20231114T231320Z"), Some(3_600)),
            (json!("Tuesday, 14-Nov-23 23:13:20 GMT"), Some(3_600)),
            (json!("Tue Nov 14 23:13:20 UTC 2023"), Some(3_600)),
            (json!("Tue Nov 14 23:13:20 2023"), Some(3_600)),
            (json!("11/14/2023 11:13:20 PM"), Some(3_600)),
            (json!("11/14/2023 23:13:20"), Some(3_600)),
            (json!("/Date(1700003600000)/"), Some(3_600)),
            (json!("1700003600.5"), Some(3_600)),
            (json!(1_700_003_600_000_000_i64), Some(3_600)),
            (json!("1e3"), Some(1_000)),
            (json!("inf"), None),
            (json!(true), None),
            (json!([3600]), None),
            (json!("3600,5"), None),
            (json!("/Date(soon)/"), None),
            (json!("32/13/2023 25:13:20"), None),
            // A moment that is just over is no lifetime of 54 years.
            (json!(1_699_999_990), Some(1)),
            (json!("2023-11-14T22:13:00Z"), Some(1)),
            (json!(1_000_000_000), Some(1_000_000_000)),
            (json!(-1), None),
            (json!("-3600"), None),
            (json!("soon"), None),
            (json!("never"), None),
            (json!("NaN"), None),
            (json!(""), None),
            (json!("5 parsecs"), None),
            (json!(null), None),
            (json!({}), None),
        ] {
            assert_eq!(seconds(&written, NOW), expected, "{written}");
        }
    }

    #[test]
    fn a_provider_names_when_to_come_back() {
        for (written, expected) in [
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Tue, 14 Nov 2023 22:15:20 GMT", Some(120)),
            ("Tuesday, 14-Nov-23 22:15:20 GMT", Some(120)),
            ("Tue Nov 14 22:15:20 2023", Some(120)),
            ("Fri, 01 Dec 2023 22:13:20 GMT", Some(1_468_800)),
            ("Friday, 01-Dec-23 22:13:20 GMT", Some(1_468_800)),
            ("Fri Dec  1 22:13:20 2023", Some(1_468_800)),
            // A moment that is over: at once.
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(1)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(1)),
            ("Sun Nov  6 08:49:37 1994", Some(1)),
            ("Tuesday, 14-Nov-23 22:15:20", None),
            ("Tuesday, 14-Nov-23 22:15:20 CET", None),
            ("Tuesday, 32-Nov-23 22:15:20 GMT", None),
            ("Tuesday, 14-Nov-2023 22:15:20 GMT", None),
            ("Tue Nov 14 22:15:20", None),
            ("120, 120", Some(120)),
            ("120.5", Some(120)),
            ("120 seconds", Some(120)),
            ("PT2M", Some(120)),
            ("1700000120", Some(120)),
            ("0", None),
            ("", None),
            (",", None),
            ("-5", None),
            ("later", None),
        ] {
            assert_eq!(retry_after(written, NOW), expected, "{written}");
        }
    }
}
