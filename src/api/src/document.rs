//! A query's text, parsed, and what is asked of it before it is executed.
//!
//! In this order: [`bounded`] bounds the text, [`parse`] understands it, [`crate::size`] bounds what it unfolds into. Only
//! then may anything walk it: validation follows each spread of a fragment as often as it stands there.

use crate::scan::{Fault, Scanned, scan};
use async_graphql::{
    Name, Pos,
    parser::{
        Error as ParserError, parse_query,
        types::{DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet},
    },
};
use std::{collections::HashSet, fmt::Display};

/// Why a document is not executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub message: String,
    /// The field or argument whose value will not do.
    pub field: Option<String>,
    pub at: Option<Pos>,
}

impl Refused {
    pub fn new(message: impl Into<String>, at: impl Into<Option<Pos>>) -> Self {
        Self { message: message.into(), field: None, at: at.into() }
    }

    /// What is wrong with a field's value; the sentence begins with its name.
    pub fn of_field(field: &str, message: impl Display) -> Self {
        Self { message: format!("{field} {message}."), field: Some(field.to_owned()), at: None }
    }
}

pub fn bounded(text: &str) -> Result<Scanned, Refused> {
    scan(text).map_err(|fault| Refused::new(format!("The query {fault}."), None))
}

/// Parses a text that is [`bounded`]; what comes out is still to be measured.
pub fn parse(text: &str) -> Result<ExecutableDocument, Refused> {
    parse_query(text).map_err(refused_by_parser)
}

/// The parser's own words quote the text, in which there may be a secret.
fn refused_by_parser(error: ParserError) -> Refused {
    let at = error.positions().next();
    let message = match error {
        ParserError::Syntax { start: Pos { line, column }, .. } => {
            format!("The query has a syntax error at line {line}, column {column}.")
        }
        ParserError::MultipleOperations { .. } => {
            "Where there are several operations, each needs a name.".into()
        }
        ParserError::OperationDuplicated { .. } => "Two operations have the same name.".into(),
        ParserError::FragmentDuplicated { .. } => "Two fragments have the same name.".into(),
        ParserError::RecursionLimitExceeded => format!("The query {}.", Fault::Brackets),
        _ => "The query has no operation.".into(),
    };
    Refused::new(message, at)
}

/// The operation to execute.
pub fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Refused> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).map(|operation| &operation.node).ok_or_else(|| {
                Refused::new("The query has no operation of the name that operationName gives.", None)
            })
        }
        (DocumentOperations::Single(_), Some(_)) => {
            Err(Refused::new("operationName is given, but the query's operation has no name.", None))
        }
        (DocumentOperations::Multiple(operations), None) => match operations.values().next() {
            Some(operation) if operations.len() == 1 => Ok(&operation.node),
            _ => Err(Refused::new(
                "The query has several operations: operationName must say which is meant.",
                None,
            )),
        },
    }
}

/// The keys of the answer's `data`, in the order in which the operation selects them.
pub fn response_keys(document: &ExecutableDocument, operation: &OperationDefinition) -> Vec<Name> {
    let mut keys = Keys { document, seen: HashSet::new(), followed: HashSet::new(), found: Vec::new() };
    keys.collect(&operation.selection_set.node);
    keys.found
}

struct Keys<'a> {
    document: &'a ExecutableDocument,
    seen: HashSet<&'a str>,
    /// Fragments; one that is spread again has no new keys.
    followed: HashSet<&'a str>,
    found: Vec<Name>,
}

impl<'a> Keys<'a> {
    fn collect(&mut self, set: &'a SelectionSet) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let key = &field.node.response_key().node;
                    if self.seen.insert(key) {
                        self.found.push(key.clone());
                    }
                }
                Selection::InlineFragment(fragment) => self.collect(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.followed.insert(name)
                    {
                        self.collect(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
}
