//! Queries that were asked before, parsed. Programs ask the same few again and again, and understanding
//! a small query takes longer than answering it.
//!
//! Only what reads is kept: the text of a mutation can hold a secret, which is to be gone when its request is.

use crate::document::{Refused, parse};
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// Together with the length of a query this bounds the memory: some MiB at the very worst.
const MOST: usize = 64;
/// In bytes.
const LONGEST: usize = 2_048;

/// The parser goes through strings character by character, which takes a moment for the largest: a text of more bytes
/// is parsed off the threads that answer requests.
const LONG: usize = 32_768;
/// So many at a time.
const LONG_AT_ONCE: usize = 2;

pub struct Documents {
    kept: Mutex<HashMap<String, Arc<ExecutableDocument>>>,
    long: Semaphore,
}

impl Default for Documents {
    fn default() -> Self {
        Self { kept: Mutex::default(), long: Semaphore::new(LONG_AT_ONCE) }
    }
}

impl Documents {
    /// As [`parse`].
    pub async fn parse(&self, text: String) -> Result<ExecutableDocument, Refused> {
        if text.len() <= LONG {
            return self.parse_here(&text);
        }
        let _permit = self.long.acquire().await.expect("the semaphore is never closed");
        tokio::task::spawn_blocking(move || parse(&text)).await.expect("the parser does not panic")
    }

    fn parse_here(&self, text: &str) -> Result<ExecutableDocument, Refused> {
        let found = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(text).cloned();
        if let Some(document) = found {
            return Ok(ExecutableDocument::clone(&document));
        }
        let document = parse(text)?;
        if text.len() <= LONGEST && only_reads(&document) {
            let copy = Arc::new(document.clone());
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
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
        documents.kept.lock().expect("nobody panicked").len()
    }

    #[test]
    fn a_query_is_kept_and_answered_alike() {
        let documents = Documents::default();
        let first = documents.parse_here("query a { b(c: 1) { d } }").expect("parses");
        let second = documents.parse_here("query a { b(c: 1) { d } }").expect("parses");
        assert_eq!(kept(&documents), 1);
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
    }

    #[test]
    fn what_writes_or_is_refused_or_long_is_not_kept() {
        let documents = Documents::default();
        for text in ["mutation { a(secret: \"s\") }", "query a { b } mutation c { d }", "subscription { a }"]
        {
            documents.parse_here(text).expect(text);
        }
        documents.parse_here(&format!("{{ a }} # {}", " ".repeat(LONGEST))).expect("parses");
        documents.parse_here("{").expect_err("refused");
        assert_eq!(kept(&documents), 0);
    }

    #[test]
    fn they_do_not_become_more_and_more() {
        let documents = Documents::default();
        for number in 0..3 * MOST {
            documents.parse_here(&format!("{{ a{number} }}")).expect("parses");
        }
        assert!(kept(&documents) <= MOST);
    }
}
