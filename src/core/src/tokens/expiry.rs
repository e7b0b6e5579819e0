//! When a token runs out, and when it is refreshed.

use ipack_domain::{provider::Grant, time::Timestamp};
use ipack_oauth::{configuration::Configuration, token_answer::Granted};

/// A token is refreshed so long before it runs out, or at four fifths of a shorter life.
const AHEAD_SECONDS: i64 = 300;
/// Shorter lives are refreshed when somebody asks for the token, not again and again for nobody.
const LEAST_WAIT: i64 = 30;
/// What is taken for a lifetime where nobody names one (the one that RFC 6749 has in its examples).
const USUAL_SECONDS: i64 = 3_600;
/// Longer lifetimes are refreshed no later than this: it keeps refresh tokens alive that die unused.
const LONGEST_WAIT: i64 = 30 * 24 * 3_600;
/// Further away is as good as never, and still a date.
const LONGEST_LIFE: i64 = 20 * 365 * 24 * 3_600;

pub(crate) struct Expiry {
    pub expires_at: Option<Timestamp>,
    pub refresh_at: Option<Timestamp>,
}

/// When a token runs out and when it is refreshed: missing, tiny and huge lifetimes included.
pub(crate) fn expiry(configuration: &Configuration, granted: &Granted, has_refresh_token: bool) -> Expiry {
    // No lifetime at all is as good as none named.
    let named = granted.expires_in.filter(|seconds| *seconds > 0).or(configuration.access_token_seconds);
    let lifetime = named.map(|seconds| seconds.clamp(1, LONGEST_LIFE));
    let is_refreshable = has_refresh_token || is_direct(configuration.grant);
    let wait = {
        let lifetime = lifetime.unwrap_or(USUAL_SECONDS);
        (lifetime - AHEAD_SECONDS).max(lifetime * 4 / 5).clamp(LEAST_WAIT, LONGEST_WAIT)
    };
    Expiry {
        expires_at: lifetime.map(|seconds| granted.asked_at.plus_seconds(seconds)),
        refresh_at: is_refreshable.then(|| granted.asked_at.plus_seconds(wait)),
    }
}

/// Grants that get a new token without a refresh token and without anybody's browser.
fn is_direct(grant: Grant) -> bool {
    matches!(grant, Grant::ClientCredentials | Grant::JwtBearer | Grant::Password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipack_domain::{form::FormContent, provider::ProviderChoice};
    use ipack_oauth::configuration::{Allowed, requested_configuration};
    use proptest::prelude::*;

    fn configuration() -> Configuration {
        let provider = ProviderChoice { provider: "quickbooks-online".into(), ..ProviderChoice::default() };
        let form = FormContent {
            base_url: "https://a.example".into(),
            client_id: "c".into(),
            provider,
            ..FormContent::default()
        };
        let known =
            requested_configuration(&form, Allowed::default()).expect("a plan").known().expect("known");
        Configuration { access_token_seconds: None, ..known }
    }

    fn waits(expires_in: Option<i64>) -> (Option<i64>, Option<i64>) {
        let granted = Granted {
            access_token: "a".to_owned().into(),
            refresh_token: None,
            token_type: "Bearer".into(),
            expires_in,
            scope: None,
            asked_at: Timestamp(0),
        };
        let expiry = expiry(&configuration(), &granted, true);
        (expiry.expires_at.map(Timestamp::seconds), expiry.refresh_at.map(Timestamp::seconds))
    }

    #[test]
    fn missing_tiny_and_huge_lifetimes_are_handled() {
        for (named, expires, refreshed) in [
            (None, None, Some(3_300)),
            (Some(3_600), Some(3_600), Some(3_300)),
            (Some(60), Some(60), Some(48)),
            (Some(1), Some(1), Some(LEAST_WAIT)),
            (Some(0), None, Some(3_300)),
            (Some(90 * 24 * 3_600), Some(90 * 24 * 3_600), Some(LONGEST_WAIT)),
            (Some(i64::MAX), Some(LONGEST_LIFE), Some(LONGEST_WAIT)),
        ] {
            assert_eq!(waits(named), (expires, refreshed), "{named:?}");
        }
    }

    proptest! {
        #[test]
        fn a_refresh_is_never_at_once_and_before_the_expiry_of_all_but_the_shortest_lives(named in 2i64..i64::MAX) {
            let (expires, refreshed) = waits(Some(named));
            let (expires, refreshed) = (expires.expect("named"), refreshed.expect("refreshable"));
            prop_assert!(refreshed >= LEAST_WAIT && refreshed <= expires.max(LEAST_WAIT));
        }
    }
}
