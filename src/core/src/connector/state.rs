//! From rows to the state of a connection, in one way ([`assess`]) for the form, every list, programs and metrics.
//!
//! What the state depends on is told here; what it is then, in `domain::connection_state`.

use crate::{
    connector::{
        content::content_of,
        fingerprint::{Fingerprints, fingerprints},
    },
    error::Result,
    secrets::slots::read_destination,
};
use ipack_domain::{
    connection_state::{ConnectionState, Facts, StateWithReason, TokenFacts},
    form::FormContent,
    parts::Part,
    time::Timestamp,
};
use ipack_oauth::configuration::{Allowed, RequestedConfiguration, requested_configuration};
use ipack_storage::{columns::JsonText, lines::Line, tokens::Token};
use std::collections::BTreeSet;

/// The columns of a token that its state depends on.
#[derive(Debug, Clone, Copy)]
pub struct TokenColumns<'a> {
    pub obtained_at: Timestamp,
    pub refreshed_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub refresh_at: Option<Timestamp>,
    pub failure: Option<&'a str>,
    pub is_broken: bool,
    pub requested_scope: &'a str,
    pub granted_scope: Option<&'a str>,
    pub configuration: &'a JsonText,
    pub company_id: Option<&'a str>,
}

impl<'a> TokenColumns<'a> {
    pub fn of(token: &'a Token) -> Self {
        Self {
            obtained_at: token.obtained_at,
            refreshed_at: token.refreshed_at,
            expires_at: token.expires_at,
            refresh_at: token.refresh_at,
            failure: token.failure.as_deref(),
            is_broken: token.is_broken,
            requested_scope: &token.requested_scope,
            granted_scope: token.granted_scope.as_deref(),
            configuration: &token.configuration,
            company_id: token.company_id.as_deref(),
        }
    }

    pub(crate) fn of_line(line: &'a Line) -> Option<Self> {
        Some(Self {
            obtained_at: line.obtained_at?,
            refreshed_at: line.refreshed_at,
            expires_at: line.expires_at,
            refresh_at: line.refresh_at,
            failure: line.failure.as_deref(),
            is_broken: line.is_broken?,
            requested_scope: line.requested_scope.as_deref()?,
            granted_scope: line.granted_scope.as_deref(),
            configuration: line.configuration.as_ref()?,
            company_id: line.company_id.as_deref(),
        })
    }

    /// A digest of each part of the configuration that it came from.
    pub fn came_from(&self) -> Result<Fingerprints> {
        Ok(self.configuration.read("token configuration")?)
    }

    pub fn requested(&self) -> Vec<String> {
        words(self.requested_scope)
    }

    pub fn granted(&self) -> Vec<String> {
        words(self.granted_scope.unwrap_or(self.requested_scope))
    }

    /// What is known of it, beside what the form says.
    fn facts(&self, content: &FormContent) -> Result<TokenFacts<'a>> {
        let (came_from, is_now) = (self.came_from()?, fingerprints(content));
        let is_edited = |part: &Part| came_from.get(part.name()) != is_now.get(part.name());
        let granted = self.granted().iter().map(|name| backwards(name)).collect();
        Ok(TokenFacts {
            is_broken: self.is_broken,
            failure: self.failure,
            refreshed: self.refreshed_at.unwrap_or(self.obtained_at),
            expires: self.expires_at,
            can_be_refreshed: self.refresh_at.is_some(),
            edited: Part::details().filter(is_edited).map(|part| part.label().to_owned()).collect(),
            refused: self.requested().into_iter().filter(|scope| !is_granted(scope, &granted)).collect(),
            other_company: self.company_id.filter(|company| *company != content.company_id.trim()),
        })
    }
}

/// Where the secrets of a connection may be sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Destinations<'a> {
    pub current: Option<&'a JsonText>,
    pub replacement: Option<&'a JsonText>,
    pub password: Option<&'a JsonText>,
}

impl Destinations<'_> {
    /// Why a secret has to be entered before a token can be got, a sentence; `None` where all that is needed is there.
    pub fn secret_to_enter(&self, plan: &RequestedConfiguration) -> Result<Option<String>> {
        let destination = plan.destination();
        let is_bound = |text: Option<&JsonText>| -> Result<bool> {
            Ok(text.map(read_destination).transpose()?.is_some_and(|bound| bound == *destination))
        };
        if plan.needs_secret() && !is_bound(self.current)? {
            let Some(current) = self.current else {
                return Ok(Some("Encrypt the client secret first.".to_owned()));
            };
            // Entered again for where the form leads now: nobody is asked for it once more.
            if !is_bound(self.replacement)? {
                let changed = read_destination(current)?.changed_to(destination).join(", ");
                let why = format!("Enter the client secret again: {changed} changed since it was encrypted.");
                return Ok(Some(why));
            }
        }
        let lacks_password = plan.needs_password() && !is_bound(self.password)?;
        Ok(lacks_password.then(|| "Encrypt the user’s password first.".to_owned()))
    }
}

/// The state of a connection, and what of it was found out on the way.
#[derive(Debug, Clone)]
pub struct Assessment<'a> {
    pub state: StateWithReason,
    /// Why a secret has to be entered first, a sentence.
    pub secret_to_enter: Option<String>,
    pub token: Option<TokenFacts<'a>>,
}

/// The state of a connection. Without a plan, as without a token in a list, it does not depend on the secrets.
pub fn assess<'a>(
    content: &FormContent,
    missing: Option<Vec<Part>>,
    token: Option<TokenColumns<'a>>,
    secrets: Destinations<'_>,
    plan: Option<&RequestedConfiguration>,
    now: Timestamp,
) -> Result<Assessment<'a>> {
    let secret_to_enter = plan.map(|plan| secrets.secret_to_enter(plan)).transpose()?.flatten();
    let token = token.map(|token| token.facts(content)).transpose()?;
    let facts = Facts { now, missing, secret_to_enter, token };
    Ok(Assessment { state: facts.assess(), secret_to_enter: facts.secret_to_enter, token: facts.token })
}

/// A line of a list, and its connection's state; `None` where it uses no OAuth.
#[derive(Debug, Clone)]
pub struct LineWithState {
    pub line: Line,
    pub state: Option<StateWithReason>,
}

/// A list's lines with their states, what needs somebody first; then by environment, process and name.
pub(crate) fn with_states(lines: Vec<Line>, allowed: Allowed, now: Timestamp) -> Result<Vec<LineWithState>> {
    let with_state = |line: Line| {
        let state = line.uses_oauth.then(|| assess_line(&line, allowed, now)).transpose()?;
        let state = state.map(|assessment| assessment.state);
        Ok(LineWithState { line, state })
    };
    let mut lines = lines.into_iter().map(with_state).collect::<Result<Vec<_>>>()?;
    lines.sort_by(|a, b| {
        let urgency = |one: &LineWithState| one.state.as_ref().map_or(ConnectionState::Ok, |s| s.state);
        let place = |line: &Line| {
            [
                line.classification.as_str(),
                &line.environment_name,
                &line.environment_id,
                &line.process_name,
                &line.connection_name,
                &line.process_id,
                &line.connection_id,
            ]
            .map(str::to_owned)
        };
        urgency(a).cmp(&urgency(b)).then_with(|| place(&a.line).cmp(&place(&b.line)))
    });
    Ok(lines)
}

pub(crate) fn assess_line(line: &Line, allowed: Allowed, now: Timestamp) -> Result<Assessment<'_>> {
    // Without them the state does not depend on them.
    let content = line.oauth_connector_details.as_deref();
    let content =
        content.map(|text| content_of(text, line.provider.as_ref())).transpose()?.unwrap_or_default();
    let token = TokenColumns::of_line(line);
    let plan = token.and_then(|_| requested_configuration(&content, allowed).ok());
    let secrets = Destinations {
        current: line.secret.as_ref(),
        replacement: line.replacement.as_ref(),
        password: line.password.as_ref(),
    };
    let missing = line.complete.map(|is_complete| if is_complete { Vec::new() } else { content.missing() });
    assess(&content, missing, token, secrets, plan.as_ref(), now)
}

/// Providers list what they grant in words of their own: under longer names (`…/userinfo.email` for `email`), and without
/// those scopes that only say how a token is to be had. What was granted is given backwards, so that the names with one
/// ending stand together: both lists can be long.
fn is_granted(scope: &str, granted: &BTreeSet<String>) -> bool {
    let is_about_the_token = scope == "offline_access" || scope.ends_with("/.default");
    let ending = backwards(scope);
    let is_end_of_longer = |mark: char| {
        let ending = format!("{ending}{mark}");
        granted.range(ending.clone()..).next().is_some_and(|name| name.starts_with(&ending))
    };
    is_about_the_token || granted.contains(&ending) || ['/', '.', ':'].into_iter().any(is_end_of_longer)
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

fn words(scope: &str) -> Vec<String> {
    scope.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_lists_in_words_of_its_own_is_granted() {
        let granted = ["https://www.googleapis.com/auth/userinfo.email", "email.and", "openid", "books.read"];
        let granted = granted.map(backwards).into();
        for fine in ["email", "openid", "books.read", "offline_access", "https://crm.example/.default"] {
            assert!(is_granted(fine, &granted), "{fine}");
        }
        for lacking in ["books.write", "mail", "ead", "profile"] {
            assert!(!is_granted(lacking, &granted), "{lacking}");
        }
    }
}
