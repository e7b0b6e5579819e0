//! A query's text, parsed and measured before anything walks it: what is too large is refused here, each time with
//! the limit that it is over.
//!
//! Fragments are weighed once and counted wherever they are spread, so a small text that unfolds into a huge query is
//! refused in time that grows with the text. A new limit is a field of [`Weight`] and a line in [`check`].

use async_graphql::{
    Name, Pos, Positioned, Variables,
    parser::{
        Error as ParserError, parse_query,
        types::{
            DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection,
            SelectionSet,
        },
    },
};
use std::collections::{HashMap, HashSet};

/// The standard introspection query of graphql-js is 15 fields deep.
pub const MAX_DEPTH: usize = 15;
pub const MAX_COMPLEXITY: usize = 1_000;
pub const MAX_ALIASES: usize = 30;
pub const MAX_DIRECTIVES: usize = 30;
/// Selection sets in one another, those of fragments included.
pub const MAX_RECURSION: usize = 32;
/// Open brackets of any kind; the parser calls itself for each.
pub const MAX_BRACKETS: usize = 64;
pub const MAX_BATCH: usize = 10;

/// Why a document is not executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub message: String,
    pub at: Option<Pos>,
}

impl Refused {
    fn new(message: impl Into<String>, at: impl Into<Option<Pos>>) -> Self {
        Self { message: message.into(), at: at.into() }
    }
}

/// Parses and measures.
pub fn parse(text: &str) -> Result<ExecutableDocument, Refused> {
    check_brackets(text)?;
    let document = parse_query(text).map_err(refused_by_parser)?;
    check(&document)?;
    Ok(document)
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
        ParserError::RecursionLimitExceeded => too_many_brackets(),
        _ => "The query has no operation.".into(),
    };
    Refused::new(message, at)
}

fn too_many_brackets() -> String {
    format!("The query opens more than {MAX_BRACKETS} brackets in one another.")
}

/// Counts open brackets outside of strings and comments.
fn check_brackets(text: &str) -> Result<(), Refused> {
    let bytes = text.as_bytes();
    let (mut at, mut open) = (0, 0usize);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' | b'(' => {
                open += 1;
                if open > MAX_BRACKETS {
                    return Err(Refused::new(too_many_brackets(), None));
                }
            }
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            b'#' => at += bytes[at..].iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count(),
            b'"' if bytes[at..].starts_with(b"\"\"") => at = end_of_block_string(bytes, at + 2),
            b'"' => at = end_of_string(bytes, at),
            _ => {}
        }
    }
    Ok(())
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            // The string does not end; the parser will say so.
            b'\n' | b'\r' => return bytes.len(),
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_block_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match &bytes[at..] {
            [b'\\', b'"', b'"', b'"', ..] => at += 4,
            [b'"', b'"', b'"', ..] => return at + 3,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// What a selection set unfolds into.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    fields: usize,
    aliases: usize,
    directives: usize,
    depth: usize,
    recursion: usize,
}

impl Weight {
    /// Beside one another.
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
        self.recursion = self.recursion.max(other.recursion);
    }
}

struct Scale<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while a fragment is being weighed.
    weighed: HashMap<&'a str, Option<Weight>>,
}

impl<'a> Scale<'a> {
    fn weigh(&mut self, set: &'a Positioned<SelectionSet>, level: usize) -> Result<Weight, Refused> {
        if set.node.items.is_empty() {
            return Ok(Weight::default());
        }
        if level > MAX_RECURSION {
            return Err(too_recursive(set.pos));
        }
        let mut sum = Weight::default();
        for item in &set.node.items {
            let mut weight = match &item.node {
                Selection::Field(field) => {
                    let mut weight = self.weigh(&field.node.selection_set, level + 1)?;
                    weight.fields = weight.fields.saturating_add(1);
                    weight.aliases = weight.aliases.saturating_add(usize::from(field.node.alias.is_some()));
                    weight.depth += 1;
                    weight
                }
                Selection::InlineFragment(fragment) => self.weigh(&fragment.node.selection_set, level + 1)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name, level + 1)?,
            };
            weight.directives = weight.directives.saturating_add(item.node.directives().len());
            sum.add(weight);
        }
        sum.recursion += 1;
        Ok(sum)
    }

    /// One that is not there weighs nothing; validation names it.
    fn fragment(&mut self, name: &'a Positioned<Name>, level: usize) -> Result<Weight, Refused> {
        let Some((key, fragment)) = self.fragments.get_key_value(&name.node) else {
            return Ok(Weight::default());
        };
        match self.weighed.get(key.as_str()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => return Err(Refused::new("A fragment contains itself.", name.pos)),
            None => {}
        }
        self.weighed.insert(key, None);
        let mut weight = self.weigh(&fragment.node.selection_set, level)?;
        weight.directives = weight.directives.saturating_add(fragment.node.directives.len());
        self.weighed.insert(key, Some(weight));
        Ok(weight)
    }
}

fn too_recursive(at: impl Into<Option<Pos>>) -> Refused {
    Refused::new(
        format!("The query has more than {MAX_RECURSION} selections in one another, fragments included."),
        at,
    )
}

fn check(document: &ExecutableDocument) -> Result<(), Refused> {
    let mut scale = Scale { fragments: &document.fragments, weighed: HashMap::new() };
    let mut sum = Weight::default();
    for (_, operation) in document.operations.iter() {
        let mut weight = scale.weigh(&operation.node.selection_set, 0)?;
        let on_variables =
            operation.node.variable_definitions.iter().map(|variable| variable.node.directives.len());
        weight.directives += operation.node.directives.len() + on_variables.sum::<usize>();
        sum.add(weight);
    }
    // Those that no operation uses are walked by validation too.
    for (name, fragment) in &document.fragments {
        if !scale.weighed.contains_key(name.as_str()) {
            scale.weighed.insert(name, None);
            let weight = scale.weigh(&fragment.node.selection_set, 0)?;
            scale.weighed.insert(name, Some(weight));
            sum.add(weight);
        }
    }
    if sum.recursion > MAX_RECURSION + 1 {
        return Err(too_recursive(None));
    }
    for (what, weight, limit) in [
        ("is nested too deeply: fields in one another", sum.depth, MAX_DEPTH),
        ("is too complex: fields, in fragments each time they are used", sum.fields, MAX_COMPLEXITY),
        ("has too many aliases", sum.aliases, MAX_ALIASES),
        ("has too many directives", sum.directives, MAX_DIRECTIVES),
    ] {
        if weight > limit {
            return Err(Refused::new(format!("The query {what}; {limit} are allowed."), None));
        }
    }
    Ok(())
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

/// The first variable that must have a value and has none.
pub fn missing_variable<'a>(
    operation: &'a OperationDefinition,
    variables: &Variables,
) -> Option<&'a Positioned<Name>> {
    let missing = operation.variable_definitions.iter().find(|variable| {
        let given = variables.get(&variable.node.name.node);
        let is_null = given == Some(&async_graphql::Value::Null);
        !variable.node.var_type.node.nullable
            && (is_null || (given.is_none() && variable.node.default_value.is_none()))
    });
    missing.map(|variable| &variable.node.name)
}

/// The keys of the answer's `data`, in the order in which the operation selects them.
pub fn response_keys(document: &ExecutableDocument, operation: &OperationDefinition) -> Vec<Name> {
    fn collect(
        document: &ExecutableDocument,
        set: &SelectionSet,
        seen: &mut HashSet<Name>,
        keys: &mut Vec<Name>,
    ) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let key = &field.node.response_key().node;
                    if seen.insert(key.clone()) {
                        keys.push(key.clone());
                    }
                }
                Selection::InlineFragment(fragment) => {
                    collect(document, &fragment.node.selection_set.node, seen, keys);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        collect(document, &fragment.node.selection_set.node, seen, keys);
                    }
                }
            }
        }
    }
    let mut keys = Vec::new();
    collect(document, &operation.selection_set.node, &mut HashSet::new(), &mut keys);
    keys
}
