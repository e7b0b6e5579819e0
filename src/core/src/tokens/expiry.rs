//! When a token runs out, and when it is refreshed.

use ipack_domain::time::Timestamp;
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
    let is_refreshable = has_refresh_token || !configuration.grant.needs_browser();
    // No lifetime at all is as good as none named. A provider's usual one is that of tokens that can be refreshed.
    let named = granted.expires_in.filter(|seconds| *seconds > 0);
    let knows_lifetime = is_refreshable || configuration.lifetime_is_chosen;
    let assumed = configuration.access_token_seconds.filter(|_| knows_lifetime);
    let lifetime = named.or(assumed).map(|seconds| seconds.clamp(1, LONGEST_LIFE));
    let never_ends = lifetime.is_none() && configuration.lifetime_is_chosen;
    let wait = if never_ends { LONGEST_WAIT } else { wait(lifetime.unwrap_or(USUAL_SECONDS)) };
    // A refresh token that dies before is used before.
    let last = granted.refresh_expires_in.filter(|seconds| *seconds > 0 && has_refresh_token);
    let wait = last.map_or(wait, |seconds| wait.min(self::wait(seconds)));
    Expiry {
        expires_at: lifetime.map(|seconds| granted.asked_at.plus_seconds(seconds)),
        refresh_at: is_refreshable.then(|| granted.asked_at.plus_seconds(wait)),
    }
}

fn wait(lifetime: i64) -> i64 {
    lifetime.saturating_sub(AHEAD_SECONDS).max(lifetime.saturating_mul(4) / 5).clamp(LEAST_WAIT, LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipack_domain::{
        form::FormContent,
        provider::{Grant, ProviderChoice},
    };
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

    fn granted(expires_in: Option<i64>) -> Granted {
        Granted {
            access_token: "a".to_owned().into(),
            refresh_token: None,
            token_type: "Bearer".into(),
            expires_in,
            refresh_expires_in: None,
            scope: None,
            extra: None,
            asked_at: Timestamp(0),
        }
    }

    fn waits_of(
        configuration: &Configuration,
        granted: &Granted,
        has_refresh_token: bool,
    ) -> (Option<i64>, Option<i64>) {
        let expiry = expiry(configuration, granted, has_refresh_token);
        (expiry.expires_at.map(Timestamp::seconds), expiry.refresh_at.map(Timestamp::seconds))
    }

    fn waits(expires_in: Option<i64>) -> (Option<i64>, Option<i64>) {
        waits_of(&configuration(), &granted(expires_in), true)
    }

    #[test]
    fn a_token_that_nothing_ends_never_expires() {
        let usual = Configuration { access_token_seconds: Some(3_600), ..configuration() };
        assert_eq!(waits_of(&usual, &granted(None), false), (None, None));
        assert_eq!(waits_of(&usual, &granted(None), true), (Some(3_600), Some(3_300)));
        let direct = Configuration { grant: Grant::ClientCredentials, ..usual.clone() };
        assert_eq!(waits_of(&direct, &granted(None), false), (Some(3_600), Some(3_300)));
        // What the admin says of it outranks what is usual.
        let chosen = Configuration { lifetime_is_chosen: true, ..usual };
        assert_eq!(waits_of(&chosen, &granted(None), false), (Some(3_600), None));
        let never = Configuration { access_token_seconds: None, ..chosen };
        assert_eq!(waits_of(&never, &granted(None), true), (None, Some(LONGEST_WAIT)));
        assert_eq!(waits_of(&never, &granted(Some(60)), false), (Some(60), None));
    }

    #[test]
    fn a_refresh_token_is_used_before_it_dies() {
        for (refresh, waits) in
            [(Some(1_800), 1_500), (Some(40), 32), (Some(90_000), 35_700), (Some(0), 35_700), (None, 35_700)]
        {
            let granted = Granted { refresh_expires_in: refresh, ..granted(Some(36_000)) };
            assert_eq!(
                waits_of(&configuration(), &granted, true),
                (Some(36_000), Some(waits)),
                "{refresh:?}"
            );
        }
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
