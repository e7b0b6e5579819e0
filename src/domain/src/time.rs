//! A moment, and how it is shown to a person.
//!
//! Anything else about time (a duration in words, another calendar) is a function here over [`Timestamp`].

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Microseconds since 1970-01-01T00:00:00Z. Microseconds, because both databases keep them exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(microseconds(span)))
    }

    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(microseconds(span)))
    }

    /// RFC 3339 with seconds, for `<time datetime>`.
    pub fn iso(self) -> String {
        let (year, month, day, hour, minute, second) = self.civil();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// The beginning of a day in UTC, given as `2027-01-31`; `None` for any other text.
    pub fn of_date(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(str::parse::<i64>);
        let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        // Howard Hinnant's `days_from_civil`.
        let year = year - i64::from(month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        let at = Self(days * 86_400 * 1_000_000);
        // No 31 February, and no digit left out.
        at.iso().starts_with(&format!("{text}T")).then_some(at)
    }

    /// For reading: `23 Nov 2026, 18:05 UTC`.
    pub fn text(self) -> String {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, day, hour, minute, _) = self.civil();
        format!("{day} {} {year}, {hour:02}:{minute:02} UTC", MONTHS[(month - 1) as usize])
    }

    /// Days to a date of the proleptic Gregorian calendar, after Howard Hinnant's `civil_from_days`.
    fn civil(self) -> (i64, i64, i64, i64, i64, i64) {
        let seconds = self.seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day, rest / 3_600, rest / 60 % 60, rest % 60)
    }
}

fn microseconds(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// A moment for a `<time>` element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub iso: String,
    pub text: String,
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self { iso: at.iso(), text: at.text() }
    }
}

/// A span of microseconds for reading: `3 minutes`.
pub fn in_words(span: i64) -> String {
    let seconds = span / 1_000_000;
    let (count, unit) = match seconds {
        ..60 => (seconds.max(0), "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_right() {
        for (seconds, words) in [
            (-5, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (3_599, "59 minutes"),
            (3_600, "1 hour"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
        ] {
            assert_eq!(in_words(seconds * 1_000_000), words);
        }
    }

    #[test]
    fn days_are_read() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(951_782_400)),
            ("2027-01-31", Some(1_801_353_600)),
            ("9999-12-31", Some(253_402_214_400)),
            ("2027-02-29", None),
            ("2027-2-1", None),
            ("2027-01-31T00:00", None),
            ("1969-12-31", None),
            ("", None),
            ("31.1.2027", None),
        ] {
            assert_eq!(Timestamp::of_date(text).map(Timestamp::seconds), seconds, "{text}");
        }
    }

    #[test]
    fn spans_are_added_and_end_at_the_ends_of_time() {
        let minute = Duration::from_secs(60);
        assert_eq!(Timestamp(0).plus(minute), Timestamp(60_000_000));
        assert_eq!(Timestamp(0).minus(minute), Timestamp(-60_000_000));
        assert_eq!(Timestamp(1).plus(Duration::MAX), Timestamp(i64::MAX));
        assert_eq!(Timestamp(-2).minus(Duration::MAX), Timestamp(i64::MIN));
    }

    #[test]
    fn known_moments_read_right() {
        assert_eq!(Timestamp(0).iso(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp(951_827_696_000_000).iso(), "2000-02-29T12:34:56Z");
        assert_eq!(Timestamp(-1_000_000).iso(), "1969-12-31T23:59:59Z");
        assert_eq!(Timestamp(1_795_457_108_123_456).text(), "23 Nov 2026, 18:05 UTC");
    }
}
