//! Documents that were asked before, parsed. Programs ask the same few again and again, with other ids and values in them,
//! and parsing a small query takes longer than answering it.
//!
//! What is kept is the [`Shape`] of a text: no string that stood in it, for it may be a secret, which is to be gone when
//! its request is. A secret that stands there without its quotation marks does not fit the schema, and only what fits is
//! kept.

use crate::{
    document::{Refused, bounded, parse},
    shape::Shape,
};
use async_graphql::parser::types::ExecutableDocument;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// Together with the length of a shape this bounds the memory: some MiB at the very worst.
const MOST: usize = 64;
/// In bytes.
const LONGEST: usize = 2_048;

/// A text of more bytes is parsed off the threads that answer requests.
const LONG: usize = 32_768;
/// So many at a time.
const LONG_AT_ONCE: usize = 2;

pub struct Documents {
    kept: Mutex<HashMap<String, Arc<ExecutableDocument>>>,
    long: Semaphore,
}

/// A document to execute.
pub struct Parsed {
    pub document: ExecutableDocument,
    /// Where the document's places are those of its shape; otherwise an empty one.
    pub shape: Shape,
    /// Its shape, parsed, where it is not kept yet.
    new: Option<Arc<ExecutableDocument>>,
}

impl Default for Documents {
    fn default() -> Self {
        Self { kept: Mutex::default(), long: Semaphore::new(LONG_AT_ONCE) }
    }
}

impl Documents {
    /// What a text says, as far as bounds and syntax go.
    pub async fn parse(&self, text: String) -> Result<Parsed, Refused> {
        let scanned = bounded(&text)?;
        if let Some(parsed) = Shape::of(&text, &scanned).and_then(|shape| self.parse_shape(shape)) {
            return Ok(parsed);
        }
        // Also what the parser refuses, for it says where.
        let document = if text.len() <= LONG {
            parse(&text)?
        } else {
            let _permit = self.long.acquire().await.expect("the semaphore is never closed");
            tokio::task::spawn_blocking(move || parse(&text)).await.expect("the parser does not panic")?
        };
        Ok(Parsed { document, shape: Shape::default(), new: None })
    }

    fn parse_shape(&self, mut shape: Shape) -> Option<Parsed> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&shape.text).cloned();
        let (parsed, is_new) = match kept {
            Some(document) => (document, false),
            None if shape.text.len() <= LONG => (Arc::new(parse(&shape.text).ok()?), true),
            None => return None,
        };
        let mut document = ExecutableDocument::clone(&parsed);
        shape.fill(&mut document);
        Some(Parsed { document, shape, new: is_new.then_some(parsed) })
    }

    /// Keeps a document whose operation was found to fit the schema, where it has no other.
    pub fn keep(&self, parsed: &mut Parsed) {
        let is_fit = |document: &Arc<ExecutableDocument>| document.operations.iter().count() == 1;
        let Some(document) = parsed.new.take().filter(is_fit) else { return };
        if parsed.shape.text.len() > LONGEST {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Those in use are soon back.
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(parsed.shape.text.clone(), document);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(documents: &Documents) -> usize {
        documents.kept.lock().expect("nobody panicked").len()
    }

    async fn parse_and_keep(documents: &Documents, text: &str) -> Parsed {
        let mut parsed =
            documents.parse(text.to_owned()).await.unwrap_or_else(|refused| panic!("{text}: {refused:?}"));
        documents.keep(&mut parsed);
        parsed
    }

    #[tokio::test]
    async fn a_query_is_kept_and_answered_alike() {
        let documents = Documents::default();
        let first = parse_and_keep(&documents, "query a { b(c: \"1\") { d } }").await;
        let second = parse_and_keep(&documents, "query a { b(c: \"1\") { d } }").await;
        assert_eq!(kept(&documents), 1);
        assert_eq!(format!("{:?}", first.document), format!("{:?}", second.document));
        let third = parse_and_keep(&documents, "query a { b(c: \"another\") { d } }").await;
        assert_eq!(kept(&documents), 1, "it has the same shape");
        assert!(format!("{:?}", third.document).contains("another"));
    }

    #[tokio::test]
    async fn no_string_is_kept() {
        let documents = Documents::default();
        for text in [
            "mutation { a(secret: \"canary\") }",
            "query a($b: String = \"canary\") { c }",
            "{ a(b: \"\"\"canary\"\"\") }",
            "{ a } # canary",
        ] {
            parse_and_keep(&documents, text).await;
        }
        let kept = format!("{:?}", documents.kept.lock().expect("nobody panicked"));
        assert!(!kept.contains("canary"), "{kept}");
    }

    #[tokio::test]
    async fn what_is_refused_or_long_is_not_kept() {
        let documents = Documents::default();
        parse_and_keep(&documents, &format!("{{ a }} {}", " ".repeat(LONGEST))).await;
        assert!(documents.parse("{".to_owned()).await.is_err());
        let unfit = documents.parse("{ a(b: canary) }".to_owned()).await;
        assert!(unfit.is_ok(), "whether it fits the schema is asked later");
        assert_eq!(kept(&documents), 0);
    }

    #[tokio::test]
    async fn they_do_not_become_more_and_more() {
        let documents = Documents::default();
        for number in 0..3 * MOST {
            parse_and_keep(&documents, &format!("{{ a{number} }}")).await;
        }
        assert!(kept(&documents) <= MOST);
    }
}
