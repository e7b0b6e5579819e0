//! Queries that were asked before, parsed and measured. Programs ask the same few again and again, and understanding
//! a small query takes longer than answering it.
//!
//! Only what reads is kept: the text of a mutation can hold a secret, which is to be gone when its request is.
//!
//! What else is worth remembering of a document is measured once and kept beside it.

use super::document::{Refused, parse};
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Together with the limit of a query's complexity this bounds the memory: some MiB at the very worst.
const MOST: usize = 64;
/// In bytes.
const LONGEST: usize = 2_048;

#[derive(Default)]
pub struct Documents(Mutex<HashMap<String, Arc<ExecutableDocument>>>);

impl Documents {
    /// As [`parse`].
    pub fn parse(&self, text: &str) -> Result<ExecutableDocument, Refused> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned();
        if let Some(document) = found {
            return Ok(ExecutableDocument::clone(&document));
        }
        let document = parse(text)?;
        if text.len() <= LONGEST && only_reads(&document) {
            let copy = Arc::new(document.clone());
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Those in use are soon back.
            if kept.len() >= MOST {
                kept.clear();
            }
            kept.insert(text.to_owned(), copy);
        }
        Ok(document)
    }
}

fn only_reads(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| operation.node.ty == OperationType::Query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(documents: &Documents) -> usize {
        documents.0.lock().expect("nobody panicked").len()
    }

    #[test]
    fn a_query_is_kept_and_answered_alike() {
        let documents = Documents::default();
        let first = documents.parse("query a { b(c: 1) { d } }").expect("parses");
        let second = documents.parse("query a { b(c: 1) { d } }").expect("parses");
        assert_eq!(kept(&documents), 1);
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
    }

    #[test]
    fn what_writes_or_is_refused_or_long_is_not_kept() {
        let documents = Documents::default();
        for text in ["mutation { a(secret: \"s\") }", "query a { b } mutation c { d }", "subscription { a }"]
        {
            documents.parse(text).expect(text);
        }
        documents.parse(&format!("{{ a }} # {}", " ".repeat(LONGEST))).expect("parses");
        documents.parse("{").expect_err("refused");
        assert_eq!(kept(&documents), 0);
    }

    #[test]
    fn they_do_not_become_more_and_more() {
        let documents = Documents::default();
        for number in 0..3 * MOST {
            documents.parse(&format!("{{ a{number} }}")).expect("parses");
        }
        assert!(kept(&documents) <= MOST);
    }
}
