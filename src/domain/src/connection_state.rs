//! The state of a connection in one word: what lists, its form, programs and metrics say of it.
//!
//! There is one rule for all of them, [`Facts::assess`]. Another state is a variant of [`ConnectionState`] in the place
//! that its urgency has, and a line in that rule; `storage::overview` sorts by the same order.

use crate::{parts::Part, time::Timestamp};
use serde::{Deserialize, Serialize};

/// A token that nothing refreshes is announced so long before it ends.
pub const EXPIRING_SECONDS: i64 = 7 * 24 * 3_600;

/// Worst first: what needs somebody soonest is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConnectionState {
    /// The token was refused for good, or ran out and cannot be refreshed.
    Broken,
    /// The last refresh failed, and is tried again.
    RefreshFailing,
    /// The token cannot be refreshed, and ends soon.
    Expiring,
    /// There is no token, or the secret that refreshes it must be entered again.
    NoToken,
    /// The token is of other fields than are saved now, or allows less than was asked for.
    Changed,
    NotConfigured,
    Ok,
}

impl ConnectionState {
    pub const ALL: [Self; 7] = [
        Self::Broken,
        Self::RefreshFailing,
        Self::Expiring,
        Self::NoToken,
        Self::Changed,
        Self::NotConfigured,
        Self::Ok,
    ];

    /// As addresses and metrics write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::RefreshFailing => "failing",
            Self::Expiring => "expiring",
            Self::NoToken => "no-token",
            Self::Changed => "changed",
            Self::NotConfigured => "unconfigured",
            Self::Ok => "ok",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Broken => "Broken",
            Self::RefreshFailing => "Refresh failing",
            Self::Expiring => "Expiring",
            Self::NoToken => "No token",
            Self::Changed => "Changed",
            Self::NotConfigured => "Not configured",
            Self::Ok => "OK",
        }
    }
}

/// A state, and why it is that one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateWithReason {
    pub state: ConnectionState,
    /// One or two sentences; `None` where there is nothing to say.
    pub reason: Option<String>,
}

/// What is known of a connection that uses OAuth.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub now: Timestamp,
    /// What the saved details lack; `None` where nothing is saved.
    pub missing: Option<Vec<Part>>,
    /// Why a secret has to be entered first, a sentence.
    pub secret_to_enter: Option<String>,
    pub token: Option<TokenFacts<'a>>,
}

/// What is known of a connection's token.
#[derive(Debug, Clone)]
pub struct TokenFacts<'a> {
    /// No refresh can mend it.
    pub is_broken: bool,
    /// Why the last refresh failed.
    pub failure: Option<&'a str>,
    /// When it was got, or refreshed last.
    pub refreshed: Timestamp,
    pub expires: Option<Timestamp>,
    pub can_be_refreshed: bool,
    /// Labels of the fields that were edited since.
    pub edited: Vec<String>,
    /// Scopes that were asked for and not granted.
    pub refused: Vec<String>,
    /// The company that it is for, where the form says another one.
    pub other_company: Option<&'a str>,
}

impl Facts<'_> {
    /// The worst of what is true of the connection.
    pub fn assess(&self) -> StateWithReason {
        let (state, reason) = self.judged();
        StateWithReason { state, reason }
    }

    fn judged(&self) -> (ConnectionState, Option<String>) {
        use ConnectionState as State;
        let Some(token) = &self.token else {
            return match &self.missing {
                None => (State::NotConfigured, Some("Nothing is saved yet.".into())),
                Some(parts) if !parts.is_empty() => {
                    let labels: Vec<_> = parts.iter().map(|part| part.label()).collect();
                    (State::NotConfigured, Some(format!("Missing: {}.", labels.join(", "))))
                }
                Some(_) => {
                    let next = self.secret_to_enter.clone();
                    (State::NoToken, next.or_else(|| Some("Generate a token.".into())))
                }
            };
        };
        let over = token.expires.filter(|at| *at <= self.now);
        if token.is_broken {
            let why = token.failure.unwrap_or("The provider refused it for good.");
            return (State::Broken, Some(why.to_owned()));
        }
        if let Some(at) = over.filter(|_| !token.can_be_refreshed) {
            return (State::Broken, Some(format!("It ran out {} and cannot be refreshed.", at.text())));
        }
        if let Some(why) = token.failure {
            let over = over.map(|at| format!("It ran out {}. ", at.text())).unwrap_or_default();
            let reason = format!("{over}No refresh has worked since {}: {why}", token.refreshed.text());
            return (State::RefreshFailing, Some(reason));
        }
        let soon = self.now.plus_seconds(EXPIRING_SECONDS);
        if let Some(at) = token.expires.filter(|at| !token.can_be_refreshed && *at <= soon) {
            return (State::Expiring, Some(format!("It ends {} and cannot be refreshed.", at.text())));
        }
        if let Some(why) = &self.secret_to_enter {
            return (State::NoToken, Some(why.clone()));
        }
        match token.outdated() {
            Some(why) => (State::Changed, Some(why)),
            None => (State::Ok, None),
        }
    }
}

impl TokenFacts<'_> {
    /// In what it is not what the form says.
    fn outdated(&self) -> Option<String> {
        let edited = (!self.edited.is_empty())
            .then(|| format!("Edited since the token was generated: {}.", self.edited.join(", ")));
        let refused = (!self.refused.is_empty()).then(|| format!("Not granted: {}.", self.refused.join(" ")));
        let company = self.other_company.map(|company| format!("The token is for company {company}."));
        let all: Vec<String> = [edited, refused, company].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600;
    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn fine() -> TokenFacts<'static> {
        TokenFacts {
            is_broken: false,
            failure: None,
            refreshed: NOW.plus_seconds(-60),
            expires: Some(NOW.plus_seconds(3_600)),
            can_be_refreshed: true,
            edited: Vec::new(),
            refused: Vec::new(),
            other_company: None,
        }
    }

    fn configured(token: Option<TokenFacts<'_>>) -> Facts<'_> {
        Facts { now: NOW, missing: Some(Vec::new()), secret_to_enter: None, token }
    }

    #[track_caller]
    fn assert_is(facts: &Facts<'_>, state: ConnectionState, reason: &str) {
        let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
        assert_eq!(facts.assess(), StateWithReason { state, reason });
    }

    fn with(change: impl FnOnce(&mut TokenFacts<'static>)) -> Facts<'static> {
        let mut token = fine();
        change(&mut token);
        configured(Some(token))
    }

    #[test]
    fn the_words_are_those_of_the_contract_worst_first() {
        assert!(ConnectionState::ALL.is_sorted());
        let words = ConnectionState::ALL.map(ConnectionState::words).join(", ");
        assert_eq!(words, "Broken, Refresh failing, Expiring, No token, Changed, Not configured, OK");
    }

    #[test]
    fn without_a_token_it_is_said_what_is_next() {
        use ConnectionState as State;
        let none = |missing| Facts { missing, ..configured(None) };
        assert_is(&none(None), State::NotConfigured, "Nothing is saved yet.");
        let half = none(Some(vec![Part::BaseUrl, Part::ClientId]));
        assert_is(&half, State::NotConfigured, "Missing: Base URL, Client ID.");
        let half = Facts { secret_to_enter: Some("Enter it.".into()), ..half };
        assert_is(&half, State::NotConfigured, "Missing: Base URL, Client ID.");
        assert_is(&configured(None), State::NoToken, "Generate a token.");
        let unsealed = Facts { secret_to_enter: Some("Enter it.".into()), ..configured(None) };
        assert_is(&unsealed, State::NoToken, "Enter it.");
    }

    #[test]
    fn a_token_is_ok_only_where_nothing_is_wrong_with_it() {
        use ConnectionState as State;
        assert_is(&with(|_| ()), State::Ok, "");
        // Due, and about to be refreshed.
        assert_is(&with(|token| token.expires = Some(NOW)), State::Ok, "");
        assert_is(&with(|token| (token.expires, token.can_be_refreshed) = (None, false)), State::Ok, "");
        let refused = with(|token| (token.is_broken, token.failure) = (true, Some("invalid_grant.")));
        assert_is(&refused, State::Broken, "invalid_grant.");
        assert_is(&with(|token| token.is_broken = true), State::Broken, "The provider refused it for good.");
        let failing = with(|token| token.failure = Some("HTTP 503."));
        let since = "No refresh has worked since 14 Nov 2023, 22:12 UTC: HTTP 503.";
        assert_is(&failing, State::RefreshFailing, since);
        let over = with(|token| (token.failure, token.expires) = (Some("HTTP 503."), Some(NOW)));
        let ran_out = format!("It ran out 14 Nov 2023, 22:13 UTC. {since}");
        assert_is(&over, State::RefreshFailing, &ran_out);
        let edited = with(|token| token.edited = vec!["Base URL".into(), "Client ID".into()]);
        assert_is(&edited, State::Changed, "Edited since the token was generated: Base URL, Client ID.");
        let less = with(|token| token.refused = vec!["read".into(), "write".into()]);
        assert_is(&less, State::Changed, "Not granted: read write.");
        let elsewhere = with(|token| token.other_company = Some("42"));
        assert_is(&elsewhere, State::Changed, "The token is for company 42.");
        let unbound = Facts { secret_to_enter: Some("Enter it again.".into()), ..with(|_| ()) };
        assert_is(&unbound, State::NoToken, "Enter it again.");
    }

    #[test]
    fn a_token_that_nothing_refreshes_expires_within_seven_days_and_then_is_broken() {
        use ConnectionState as State;
        for (seconds, state) in [
            (7 * DAY + 1, State::Ok),
            (7 * DAY, State::Expiring),
            (1, State::Expiring),
            (0, State::Broken),
            (-400 * DAY, State::Broken),
        ] {
            let ends = |can| {
                with(|token| {
                    (token.expires, token.can_be_refreshed) = (Some(NOW.plus_seconds(seconds)), can);
                })
            };
            assert_eq!(ends(false).assess().state, state, "{seconds}");
            assert_eq!(ends(true).assess().state, State::Ok, "{seconds}");
        }
    }

    /// A state, and what brings it about.
    type Trouble = (ConnectionState, fn(&mut Facts<'static>));

    /// Each thing that can be wrong, alone and with each other one: the worst is said.
    #[test]
    fn of_several_states_the_worst_is_said() {
        let troubles: [Trouble; 5] = [
            (ConnectionState::Broken, |facts| token(facts).is_broken = true),
            (ConnectionState::RefreshFailing, |facts| token(facts).failure = Some("no")),
            (ConnectionState::Expiring, |facts| token(facts).can_be_refreshed = false),
            (ConnectionState::NoToken, |facts| facts.secret_to_enter = Some("Enter it.".into())),
            (ConnectionState::Changed, |facts| token(facts).edited.push("Base URL".into())),
        ];
        for (one, do_one) in troubles {
            for (other, do_other) in troubles {
                let mut facts = with(|_| ());
                do_one(&mut facts);
                do_other(&mut facts);
                assert_eq!(facts.assess().state, one.min(other));
            }
        }
    }

    fn token<'a>(facts: &'a mut Facts<'static>) -> &'a mut TokenFacts<'static> {
        facts.token.as_mut().expect("it has one")
    }
}
