//! Errors in the words of the API: a sentence, `extensions.code`, and the field where there is one.
//!
//! Nothing that a client sent is repeated, for it may be a secret in the wrong place: of the library's validation
//! messages only the fixed words, the schema's own names ([`SchemaNames::said`]) and the misspelt name of a field of
//! `Query` get out. A message that is not in [`KNOWN`] becomes a general one; to let another through, add its fixed
//! words there.

use crate::{document::Refused, schema::Api};
use async_graphql::{Error, ErrorExtensionValues, ErrorExtensions, Pos, ServerError};
use ipack_core::ServiceError;
use ipack_domain::error::{AppError, ErrorCode};
use std::collections::HashSet;

/// The library's messages, with a gap for each quoted name.
const KNOWN: [&str; 23] = [
    r#"Unknown field "" on type ""."#,
    r#"Unknown argument "" on field "" of type ""."#,
    r#"Unknown argument "" on directive ""."#,
    r#"Unknown type """#,
    r#"Unknown directive """#,
    r#"Duplicate directive """#,
    r#"Directive "" may not be used on """#,
    r#"Directive "" argument "" of type "" is required but not provided"#,
    r#"Field "" must not have a selection since type "" has no subfields"#,
    r#"Field "" of type "" must have a selection of subfields"#,
    r#"Fields "" conflict because "" and "" are different fields. Use different aliases on the fields to fetch both if this was intentional."#,
    r#"Fields "" conflict because they have differing arguments. Use different aliases on the fields to fetch both if this was intentional."#,
    r#"Fragment "" cannot condition non composite type """#,
    r#"Fragment "" cannot be spread here as objects of type "" can never be of type """#,
    r#"Fragment "" is never used"#,
    r#"There can only be one argument named """#,
    r#"There can only be one variable named """#,
    r#"Variable "" cannot be of non-input type """#,
    r#"Variable "" is not defined"#,
    r#"Variable "" is not defined by operation """#,
    r#"Variable "" is not used"#,
    r#"Variable "" is not used by operation """#,
    r#"Variable "" of type "" used in position expecting type """#,
];

/// A longer name is no misspelt one.
const MAX_TYPED_NAME: usize = 64;

/// The names that a message may say.
pub struct SchemaNames(HashSet<String>);

impl SchemaNames {
    pub fn of(api: &Api) -> Self {
        Self(api.names().into_iter().collect())
    }

    /// Names of the schema as they are, also as types (`[String!]`), paths, variables and directives; others as `…`.
    fn said<'a>(&self, name: &'a str) -> &'a str {
        let bare = name.trim_matches(['[', ']', '!', '$', '@']);
        if bare.split('.').all(|part| self.0.contains(part)) { name } else { "…" }
    }

    /// A validation error of the library.
    pub fn translate(&self, error: ServerError) -> ServerError {
        let (field, message) = self.sentence(&error.message);
        let at = error.locations;
        ServerError { locations: at, ..server_error(AppError { field, ..bad_input(message) }, None) }
    }

    fn sentence(&self, message: &str) -> (Option<String>, String) {
        let parts: Vec<&str> = message.split('"').collect();
        let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
        match parts.as_slice() {
            ["Invalid value for argument ", path, ", expected type ", expected, ""] if self.knows(path) => {
                let field = last(path);
                let message = format!("{field} must be {}.", with_article(self.said(expected)));
                (Some(field), message)
            }
            [
                "Invalid value for argument ",
                _,
                ", field ",
                field,
                " of type ",
                _,
                " is required but not provided",
            ]
            | ["Field ", _, " argument ", field, " of type ", _, " is required but not provided"]
                if self.knows(field) =>
            {
                (Some((*field).to_owned()), format!("{field} is missing."))
            }
            // The unknown name comes from a variable and may itself hold quotes.
            ["Invalid value for argument ", path, ", unknown field ", ..] if self.knows(path) => {
                let field = last(path);
                let message = format!("{field} has a field that is not known.");
                (Some(field), message)
            }
            // Most clients name a variable after the field that it is for.
            ["Variable ", name, " of type ", _, " used in position expecting type ", expected, ""]
                if self.knows(name) =>
            {
                let message = format!(
                    "The variable ${name} is declared to be something else than {}.",
                    self.said(expected)
                );
                (Some((*name).to_owned()), message)
            }
            ["Schema is not configured for subscriptions."] => {
                (None, "There are no subscriptions.".to_owned())
            }
            _ => (None, self.known_sentence(&parts).unwrap_or_else(|| "The query is not valid.".to_owned())),
        }
    }

    fn known_sentence(&self, parts: &[&str]) -> Option<String> {
        let fixed = parts.iter().step_by(2).copied().collect::<Vec<_>>().join("\"\"");
        if !KNOWN.contains(&fixed.trim_end()) {
            return None;
        }
        let words = parts.iter().enumerate();
        let typed = is_misspelt_in_query(parts).then_some(1);
        let said: Vec<&str> = words
            .map(|(at, part)| if at % 2 == 0 || Some(at) == typed { part } else { self.said(part) })
            .collect();
        let sentence = said.join("\"");
        Some(if sentence.trim_end().ends_with('.') {
            sentence.trim_end().to_owned()
        } else {
            format!("{sentence}.")
        })
    }

    fn knows(&self, name: &str) -> bool {
        self.said(name) == name
    }

    /// A variable that must have a value has none.
    pub fn missing_variable(&self, name: &str, at: Pos) -> ServerError {
        let field = self.knows(name).then(|| name.to_owned());
        let message = format!("The variable ${} must have a value.", self.said(name));
        server_error(AppError { field, ..bad_input(message) }, Some(at))
    }
}

/// Whether the first name is one that a client typed for a field of the type `Query`, or for an argument of such a
/// field. Queries have no secrets in them; in a mutation even what looks like a field may be a secret that slipped out
/// of its quotes.
fn is_misspelt_in_query(parts: &[&str]) -> bool {
    let name = match parts {
        ["Unknown field ", name, " on type ", "Query", _]
        | ["Unknown argument ", name, " on field ", _, " of type ", "Query", _] => name,
        _ => return false,
    };
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    name.len() <= MAX_TYPED_NAME
        && name.as_bytes().first().is_some_and(is_letter)
        && name.bytes().all(|byte| is_letter(&byte) || byte.is_ascii_digit())
}

fn with_article(type_name: &str) -> String {
    let vowel = type_name.starts_with(['A', 'E', 'I', 'O', 'U']);
    format!("{} {type_name}", if vowel { "an" } else { "a" })
}

fn bad_input(message: impl Into<String>) -> AppError {
    AppError::new(ErrorCode::BadUserInput, message)
}

/// A document that is refused before validation.
pub fn refused(refused: Refused) -> ServerError {
    server_error(bad_input(refused.message), refused.at)
}

pub fn server_error(error: AppError, at: Option<Pos>) -> ServerError {
    let mut answer = ServerError::new(&error.message, at);
    let mut extensions = ErrorExtensionValues::default();
    extend(&error, &mut extensions);
    answer.extensions = Some(extensions);
    answer
}

/// What a use case answered instead.
pub fn of_service(error: ServiceError, request_id: &str) -> Error {
    let error = error.into_app_error(request_id);
    Error::new(&error.message).extend_with(|_, extensions| extend(&error, extensions))
}

fn extend(error: &AppError, extensions: &mut ErrorExtensionValues) {
    extensions.set("code", error.code.as_str());
    if let Some(field) = &error.field {
        extensions.set("field", field.as_str());
    }
    if let Some(id) = &error.request_id {
        extensions.set("requestId", id.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> SchemaNames {
        SchemaNames(["Query", "environments", "input", "clientId", "String"].map(str::to_owned).into())
    }

    #[test]
    fn only_the_schemas_names_are_repeated() {
        let too_long = format!(r#"Unknown field "{}" on type "Query"."#, "a".repeat(65));
        for (message, field, expected) in [
            (
                r#"Unknown field "enviroments" on type "Query". "#,
                None,
                r#"Unknown field "enviroments" on type "Query"."#,
            ),
            (
                r#"Unknown argument "_first2" on field "environments" of type "Query"."#,
                None,
                r#"Unknown argument "_first2" on field "environments" of type "Query"."#,
            ),
            (r#"Unknown field "SECRET-" on type "Query". "#, None, r#"Unknown field "…" on type "Query"."#),
            (r#"Unknown field "1SECRET" on type "Query". "#, None, r#"Unknown field "…" on type "Query"."#),
            (r#"Unknown field "SECRET" on type "String". "#, None, r#"Unknown field "…" on type "String"."#),
            (&too_long, None, r#"Unknown field "…" on type "Query"."#),
            (
                r#"Variable "SECRET" of type "String!" used in position expecting type "String""#,
                None,
                r#"Variable "…" of type "String!" used in position expecting type "String"."#,
            ),
            (
                r#"Variable "clientId" of type "SECRET" used in position expecting type "String""#,
                Some("clientId"),
                "The variable $clientId is declared to be something else than String.",
            ),
            (
                r#"Invalid value for argument "input.clientId", expected type "String""#,
                Some("clientId"),
                "clientId must be a String.",
            ),
            (
                r#"Invalid value for argument "input", unknown field "a" SECRET "b" of type "X""#,
                Some("input"),
                "input has a field that is not known.",
            ),
            (r#"Expected input type "String", found "SECRET"."#, None, "The query is not valid."),
            (r#"Unknown field "a" SECRET "b" on type "Query"."#, None, "The query is not valid."),
            ("SECRET", None, "The query is not valid."),
        ] {
            let (said_field, said) = names().sentence(message);
            assert_eq!((said_field.as_deref(), said.as_str()), (field, expected), "{message}");
        }
    }
}
