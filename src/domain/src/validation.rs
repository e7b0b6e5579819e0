//! What may be in the form: everything that keeps a content from being saved, and where on the page it is.

use crate::{
    about::Check,
    fields::{Field, Table, TextField},
    form::{FormContent, Parameter},
    provider::{Grant, REPEATABLE, RESERVED_AUTHORIZATION, RESERVED_TOKEN},
    trim::trimmed,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where on the form something is wrong: a text, or a row of a table counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProblemLocation {
    Text(TextField),
    Row(Table, u32),
}

impl ProblemLocation {
    pub fn label(self) -> String {
        match self {
            Self::Text(field) => field.about().label.to_owned(),
            Self::Row(table, index) => format!("{}, row {}", table.label(), index + 1),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub place: ProblemLocation,
    pub message: String,
}

/// Everything that keeps this content from being saved, in the order of the page.
pub fn validate(content: &FormContent) -> Vec<Problem> {
    let mut problems = Vec::new();
    for field in Field::all() {
        match field {
            Field::Text(text) => problems.extend(problem_of_text(content, text)),
            Field::Table(table) => add_problems_of_rows(content, table, &mut problems),
            // Nothing else can be chosen than what is there.
            Field::Menu(_) | Field::Switch(_) => {}
        }
    }
    problems
}

fn problem_of_text(content: &FormContent, field: TextField) -> Option<Problem> {
    let about = field.about();
    let text = trimmed(content.text(field));
    if !about.asked.is_asked(content) {
        return None;
    }
    let message = match about.check {
        Check::NeededUrl if text.is_empty() => "Enter a URL: tokens come from there",
        Check::Url | Check::NeededUrl | Check::Issuer if !text.is_empty() && !is_http_url(text) => {
            "Enter a URL that starts with https:// or http://"
        }
        Check::Lifetime
            if !text.is_empty()
                && !text.eq_ignore_ascii_case("never")
                && !text.parse::<u32>().is_ok_and(|seconds| seconds > 0) =>
        {
            "Enter whole seconds, or never"
        }
        Check::Issuer if text.contains(['?', '#']) => {
            "An issuer has neither a query nor a fragment: leave out everything from the ? or # on"
        }
        Check::JsonObject if !text.is_empty() && !is_json_object(text) => {
            "Enter a JSON object, as in {\"name\": \"value\"}"
        }
        Check::Url
        | Check::NeededUrl
        | Check::Issuer
        | Check::Lifetime
        | Check::JsonObject
        | Check::Anything => return None,
    };
    Some(Problem { place: ProblemLocation::Text(field), message: message.to_owned() })
}

fn add_problems_of_rows(content: &FormContent, table: Table, problems: &mut Vec<Problem>) {
    let mut first_with: HashMap<&str, u32> = HashMap::new();
    for (index, row) in (0u32..).zip(content.rows(table)).filter(|(_, row)| !row.is_blank()) {
        let key = trimmed(&row.key);
        let message = if key.is_empty() {
            "This value has no key".to_owned()
        } else if row.is_secret() {
            "A client secret has no place here: these parameters are readable by everybody who can open the form. \
             Enter it as Client Secret; its value is not kept here"
                .into()
        } else if row.is_query() {
            "This is a query string: give each of its parameters a row of its own".into()
        } else if table == Table::Authorization && RESERVED_AUTHORIZATION.contains(&key) {
            reserved(key)
        } else if let Some(why) =
            not_for_a_token_request(content, row).filter(|_| table == Table::AccessToken)
        {
            why.to_owned()
        } else if !REPEATABLE.contains(&key) && first_with.insert(key, index).is_some() {
            "This key stands twice in this table".into()
        } else {
            continue;
        };
        problems.push(Problem { place: ProblemLocation::Row(table, index), message });
    }
}

/// What is said of a form: once a save was `attempted`, all that keeps it from being saved; before that, only what is
/// not kept either.
pub fn problems(content: &FormContent, attempted: bool) -> Vec<Problem> {
    let is_secret = |problem: &Problem| match problem.place {
        ProblemLocation::Row(table, index) => {
            content.rows(table).get(index as usize).is_some_and(Parameter::is_secret)
        }
        ProblemLocation::Text(_) => false,
    };
    let mut problems = validate(content);
    problems.retain(|problem| attempted || is_secret(problem));
    problems
}

fn reserved(key: &str) -> String {
    let instead = match key {
        "scope" => "; enter scopes under Identity provider",
        "client_id" => "; enter it as Client ID",
        _ => "",
    };
    format!("{key} is set by iPack Connect itself{instead}")
}

/// Why a parameter cannot be sent with token requests as it is. What can be is sent where the request has none by that
/// name: `redirect_uri` and `client_id` at a refresh.
pub fn not_for_a_token_request(content: &FormContent, row: &Parameter) -> Option<&'static str> {
    let value = trimmed(&row.value);
    match trimmed(&row.key) {
        "scope" if !trimmed(&content.provider.scopes).is_empty() => {
            Some("Scopes are entered under Identity provider already: keep one of the two")
        }
        "client_id" if value != trimmed(&content.client_id) => {
            Some("The client is another one than the Client ID above: enter it there")
        }
        "grant_type" if content.provider.grant != Grant::ClientCredentials => Some(
            "The grant is chosen under Identity provider; only the client credentials grant can have another name",
        ),
        key if RESERVED_TOKEN.contains(&key) => Some("iPack Connect sets this itself: delete this row"),
        _ => None,
    }
}

fn is_json_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object())
}

/// An absolute http or https URL with a host and without white space or credentials.
fn is_http_url(text: &str) -> bool {
    let Some(rest) = ["https://", "http://"].iter().find_map(|scheme| {
        text.get(..scheme.len())
            .filter(|start| start.eq_ignore_ascii_case(scheme))
            .map(|_| &text[scheme.len()..])
    }) else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty()
        && !host.starts_with(':')
        && !host.contains('@')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{ENDPOINTS, ProviderChoice};

    fn with_rows(rows: &[(&str, &str)]) -> FormContent {
        FormContent {
            authorization: rows.iter().map(|(key, value)| Parameter::new(*key, *value)).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn urls() {
        for good in
            ["https://baseURL.com", "http://127.0.0.1:8080/a?b", "HTTPS://x", "https://ü.example/", ""]
        {
            let content = FormContent { base_url: good.into(), ..Default::default() };
            assert_eq!(validate(&content), [], "{good}");
        }
        for bad in [
            "example.com",
            "ftp://x",
            "https://",
            "https:///x",
            "https://a b",
            "https://u:p@x",
            "javascript:1",
            "http://:80",
        ] {
            let content = FormContent { base_url: bad.into(), ..Default::default() };
            assert_eq!(validate(&content).len(), 1, "{bad}");
        }
    }

    #[test]
    fn rows_are_judged_one_by_one_and_blank_ones_never() {
        let content =
            with_rows(&[("a", "1"), ("", ""), ("", "x"), (" a ", "2"), ("b", ""), ("client_secret", "s")]);
        let places: Vec<_> = validate(&content).into_iter().map(|p| p.place).collect();
        let row = |index| ProblemLocation::Row(Table::Authorization, index);
        assert_eq!(places, [row(2), row(3), row(5)]);
        assert_eq!(content.tidied().authorization.len(), 5);
    }

    #[test]
    fn the_value_of_a_client_secret_is_kept_in_no_table_and_that_is_said_at_once() {
        for key in
            ["client_secret", "clientSecret", "Client-Secret", " CLIENT SECRET ", "\tclientsecret\u{a0}"]
        {
            let row = |value| Parameter::new(key, value);
            let other = Parameter::new("client_secret_expires", "kept");
            let content = FormContent {
                authorization: vec![other.clone(), row("hush")],
                access_token: vec![row("hush")],
                base_url: "not judged yet".into(),
                ..Default::default()
            };
            assert_eq!(validate(&content).len(), 3, "{key}");
            let content = content.without_secrets();
            assert_eq!(content.authorization, [other, row("")], "{key}");
            assert_eq!(content.access_token, [row("")], "{key}");
            let places: Vec<_> = problems(&content, false).into_iter().map(|problem| problem.place).collect();
            assert_eq!(
                places,
                [ProblemLocation::Row(Table::Authorization, 1), ProblemLocation::Row(Table::AccessToken, 0)],
                "{key}"
            );
            assert_eq!(problems(&content, true), validate(&content));
        }
    }

    #[test]
    fn a_query_string_is_no_key_and_a_secret_in_one_is_not_kept() {
        for (pasted, kept) in [
            ("a=1&b=2", "a=1&b=2"),
            ("?a=1", "?a=1"),
            ("client_secret=hush", "client_secret"),
            ("a=1&client_secret=hush&b=2", "a=1&client_secret"),
            ("https://id.example/token?Client-Secret=hush", "https://id.example/token?Client-Secret"),
        ] {
            let content = with_rows(&[("fine", "a=1&b=2"), (pasted, "")]).without_secrets();
            assert_eq!(content.authorization[1].key, kept);
            let places: Vec<_> = validate(&content).into_iter().map(|problem| problem.place).collect();
            assert_eq!(places, [ProblemLocation::Row(Table::Authorization, 1)], "{pasted}");
        }
    }

    #[test]
    fn what_a_token_request_has_already_is_refused_beside_its_row() {
        let told = |key: &str, value: &str, change: &dyn Fn(&mut FormContent)| {
            let mut content = FormContent { client_id: "me".into(), ..FormContent::default() };
            content.access_token = vec![Parameter::new("other", "1"), Parameter::new(key, value)];
            change(&mut content);
            let places: Vec<_> = validate(&content).into_iter().map(|problem| problem.place).collect();
            assert!(places.is_empty() || places == [ProblemLocation::Row(Table::AccessToken, 1)], "{key}");
            !places.is_empty()
        };
        let nothing = |_: &mut FormContent| ();
        for key in RESERVED_TOKEN {
            assert!(told(key, "x", &nothing), "{key}");
        }
        assert!(!told("redirect_uri", "https://me.example/cb", &nothing));
        assert!(!told("client_id", " me ", &nothing) && told("client_id", "you", &nothing));
        assert!(!told("scope", "a", &nothing));
        assert!(told("scope", "a", &|content| content.provider.scopes = "b".into()));
        assert!(told("grant_type", "account_credentials", &nothing));
        assert!(!told("grant_type", "account_credentials", &|content| {
            content.provider.grant = Grant::ClientCredentials;
        }));
    }

    #[test]
    fn what_may_be_sent_several_times_may_stand_several_times() {
        let rows = |key: &str| with_rows(&[(key, "https://a.example"), (key, "https://b.example")]);
        assert_eq!(validate(&rows("resource")), []);
        assert_eq!(validate(&rows("audience")), []);
        assert_eq!(validate(&rows("prompt")).len(), 1);
    }

    #[test]
    fn the_same_key_in_the_other_table_is_fine() {
        let mut content = with_rows(&[("a", "1")]);
        content.access_token = content.authorization.clone();
        assert_eq!(validate(&content), []);
    }

    #[test]
    fn what_is_wrong_with_the_provider_is_told_beside_its_own_field() {
        let told = |change: &dyn Fn(&mut ProviderChoice)| {
            let mut content = FormContent::default();
            change(&mut content.provider);
            validate(&content).into_iter().map(|problem| problem.place).collect::<Vec<_>>()
        };
        let text = ProblemLocation::Text;
        assert_eq!(told(&|choice| choice.issuer = "x".into()), [text(TextField::Issuer)]);
        let query = "https://id.example/.well-known/openid-configuration?p=signin";
        assert_eq!(told(&|choice| choice.issuer = query.into()), [text(TextField::Issuer)]);
        assert_eq!(told(&|choice| choice.claims = "[1]".into()), [text(TextField::Claims)]);
        assert_eq!(told(&|choice| choice.claims = r#"{"a": [1]}"#.into()), []);
        assert_eq!(told(&|choice| choice.provider = ENDPOINTS.into()), [text(TextField::TokenEndpoint)]);
        // What is not asked for is not judged.
        assert_eq!(told(&|choice| choice.token_endpoint = "x".into()), []);
        let all = told(&|choice| {
            choice.provider = ENDPOINTS.into();
            choice.issuer = "x".into();
            choice.authorization_endpoint = "x".into();
            choice.token_endpoint = "ftp://x".into();
            choice.revocation_endpoint = " https://x y".into();
            choice.token_lifetime = "0".into();
        });
        let fields = [
            TextField::AuthorizationEndpoint,
            TextField::TokenEndpoint,
            TextField::RevocationEndpoint,
            TextField::TokenLifetime,
        ];
        assert_eq!(all, fields.map(text));
        for bad in ["-1", "1.5", "a minute", "4294967296"] {
            let places = told(&|choice| choice.token_lifetime = bad.into());
            assert_eq!(places, [text(TextField::TokenLifetime)], "{bad}");
        }
        for fine in [" 3600 ", "never", "Never"] {
            assert_eq!(told(&|choice| choice.token_lifetime = fine.into()), [], "{fine}");
        }
    }
}
