//! The shape of a query: its text with a number in place of each string.
//!
//! Clients that write their arguments into the text ask with another text each time, and the parser goes through a text
//! character by character. What they ask has one shape, which is parsed once, and a copy of the parsed shape is filled
//! with the strings of each text. A shape holds no value that stood in quotes, so it may be kept where the text may not.

use crate::scan::Scanned;
use async_graphql::{
    Pos, Positioned,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
    },
};
use async_graphql_value::{ConstValue, Value};
use std::mem::take;

#[derive(Debug, Default)]
pub struct Shape {
    pub text: String,
    strings: Vec<Literal>,
}

#[derive(Debug)]
struct Literal {
    value: String,
    /// Of its opening quotation mark, in bytes of the shape's text.
    at: usize,
    /// How many characters of the original its number stands for, and how many it has itself.
    characters: usize,
    digits: usize,
}

impl Shape {
    /// `None` for a text with comments or block strings, in which quotation marks mean something else, and for one with an
    /// escape that is not known.
    pub fn of(text: &str, scanned: &Scanned) -> Option<Self> {
        if !scanned.is_plain {
            return None;
        }
        let mut shape = Self::default();
        let mut done = 0;
        for (number, range) in scanned.strings.iter().enumerate() {
            let raw = &text[range.start + 1..range.end - 1];
            let number = number.to_string();
            shape.text.push_str(&text[done..range.start]);
            shape.strings.push(Literal {
                value: unescape(raw)?,
                at: shape.text.len(),
                characters: raw.chars().count(),
                digits: number.len(),
            });
            shape.text.extend(["\"", &number, "\""]);
            done = range.end;
        }
        shape.text.push_str(&text[done..]);
        Some(shape)
    }

    /// Puts the strings where their numbers are, each once.
    pub fn fill(&mut self, document: &mut ExecutableDocument) {
        match &mut document.operations {
            DocumentOperations::Single(operation) => self.fill_operation(&mut operation.node),
            DocumentOperations::Multiple(operations) => {
                operations.values_mut().for_each(|operation| self.fill_operation(&mut operation.node));
            }
        }
        for fragment in document.fragments.values_mut() {
            self.fill_directives(&mut fragment.node.directives);
            self.fill_selections(&mut fragment.node.selection_set.node);
        }
    }

    fn fill_operation(&mut self, operation: &mut OperationDefinition) {
        for variable in &mut operation.variable_definitions {
            if let Some(default) = &mut variable.node.default_value {
                self.fill_constant(&mut default.node);
            }
            self.fill_directives(&mut variable.node.directives);
        }
        self.fill_directives(&mut operation.directives);
        self.fill_selections(&mut operation.selection_set.node);
    }

    fn fill_directives(&mut self, directives: &mut [Positioned<Directive>]) {
        for (_, value) in directives.iter_mut().flat_map(|directive| &mut directive.node.arguments) {
            self.fill_value(&mut value.node);
        }
    }

    fn fill_selections(&mut self, selections: &mut SelectionSet) {
        for selection in &mut selections.items {
            match &mut selection.node {
                Selection::Field(field) => {
                    for (_, value) in &mut field.node.arguments {
                        self.fill_value(&mut value.node);
                    }
                    self.fill_directives(&mut field.node.directives);
                    self.fill_selections(&mut field.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => self.fill_directives(&mut spread.node.directives),
                Selection::InlineFragment(fragment) => {
                    self.fill_directives(&mut fragment.node.directives);
                    self.fill_selections(&mut fragment.node.selection_set.node);
                }
            }
        }
    }

    fn fill_value(&mut self, value: &mut Value) {
        match value {
            Value::String(number) => self.fill_string(number),
            Value::List(values) => values.iter_mut().for_each(|value| self.fill_value(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.fill_value(value)),
            _ => {}
        }
    }

    fn fill_constant(&mut self, value: &mut ConstValue) {
        match value {
            ConstValue::String(number) => self.fill_string(number),
            ConstValue::List(values) => values.iter_mut().for_each(|value| self.fill_constant(value)),
            ConstValue::Object(fields) => fields.values_mut().for_each(|value| self.fill_constant(value)),
            _ => {}
        }
    }

    fn fill_string(&mut self, number: &mut String) {
        let literal = number.parse().ok().and_then(|number: usize| self.strings.get_mut(number));
        *number = literal.map(|literal| take(&mut literal.value)).unwrap_or_default();
    }

    /// Turns places of the shape's text into those of the original.
    pub fn to_original<'p>(&self, places: impl IntoIterator<Item = &'p mut Pos>) {
        let mut places = places.into_iter().peekable();
        if self.strings.is_empty() || places.peek().is_none() {
            return;
        }
        let strings = self.places();
        for place in places {
            // Those before it on its line.
            let end = strings.partition_point(|(at, _)| *at < *place);
            let before = strings[..end].iter().rev().take_while(|(at, _)| at.line == place.line);
            let (characters, digits) =
                before.fold((0, 0), |sum, (_, literal)| (sum.0 + literal.characters, sum.1 + literal.digits));
            place.column = place.column + characters - digits;
        }
    }

    /// Where the strings stand, counted as the parser does.
    fn places(&self) -> Vec<(Pos, &Literal)> {
        let mut strings = self.strings.iter().peekable();
        let mut places = Vec::new();
        let mut at = Pos { line: 1, column: 1 };
        for (byte, character) in self.text.char_indices() {
            places.extend(strings.next_if(|literal| literal.at == byte).map(|literal| (at, literal)));
            match character {
                '\r' => at.column = 1,
                '\n' => at = Pos { line: at.line + 1, column: 1 },
                _ => at.column += 1,
            }
        }
        places
    }
}

/// What a string of the specification stands for, without its quotation marks.
fn unescape(raw: &str) -> Option<String> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        value.push_str(plain);
        let mut characters = escaped.chars();
        value.push(match characters.next()? {
            same @ ('"' | '\\' | '/') => same,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let digits =
                    escaped.get(1..5).filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()))?;
                characters = escaped[5..].chars();
                char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
            }
            _ => return None,
        });
        rest = characters.as_str();
    }
    value.push_str(rest);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{document::parse, scan::scan};
    use proptest::prelude::*;

    fn filled(text: &str) -> Option<ExecutableDocument> {
        let mut shape = Shape::of(text, &scan(text).ok()?)?;
        let mut document = parse(&shape.text).ok()?;
        shape.fill(&mut document);
        Some(document)
    }

    /// Without its places, which are those of the shape.
    fn content(document: &ExecutableDocument) -> serde_json::Value {
        fn strip(value: &mut serde_json::Value) {
            match value {
                serde_json::Value::Object(members) => {
                    members.remove("pos");
                    members.values_mut().for_each(strip);
                }
                serde_json::Value::Array(items) => items.iter_mut().for_each(strip),
                _ => {}
            }
        }
        let mut content = serde_json::to_value(document).expect("it can be written");
        strip(&mut content);
        content
    }

    #[test]
    fn a_filled_shape_is_what_the_text_parses_to() {
        for text in [
            r#"{ a(b: "c") { d(e: ["f", {g: "h", i: [["j"]]}]) @k(l: "m") } }"#,
            r#"query q($a: [String!] = ["b", "c"]) @g(h: "i") { j(k: $a, l: {m: "n", o: $a}) }"#,
            r#"{ ...f @a(b: "c") ... on Query @d(e: "f") { g(h: "i") } } fragment f on Query @j(k: "l") { m(n: "o") }"#,
            r#"mutation a { b(c: "d") } query e { f(g: "h") }"#,
            r#"{ a(b: {c: "first", c: "second"}, d: "0") }"#,
            r#"{ a(b: "", c: "é\u00e9\n\"{}#", d: "1", e: 1, f: E, g: true, h: null) }"#,
            "{ a(b: \"\", # \"\n c: 1) }",
            "{ a(b: \"\"\"block \"quoted\" \"\"\", c: \"d\") }",
        ] {
            let whole = parse(text).unwrap_or_else(|refused| panic!("{text}: {refused:?}"));
            match filled(text) {
                Some(document) => assert_eq!(content(&document), content(&whole), "{text}"),
                None => assert!(text.contains('#') || text.contains("\"\"\""), "{text} has a shape"),
            }
        }
    }

    #[test]
    fn texts_that_differ_in_strings_alone_have_one_shape() {
        let shape =
            |text: &str| Shape::of(text, &scan(text).expect("it is in bounds")).map(|shape| shape.text);
        assert_eq!(shape(r#"{ a(b: "secret", c: "d") }"#).as_deref(), Some(r#"{ a(b: "0", c: "1") }"#));
        assert_eq!(shape(r#"{ a(b: "\"", c: "") }"#), shape(r#"{ a(b: "x", c: "yz") }"#));
        assert_ne!(shape(r#"{ a(b: "x", c: 1) }"#), shape(r#"{ a(b: "x", c: "1") }"#));
    }

    proptest! {
        #[test]
        fn strings_mean_what_they_mean_to_the_parser(
            raw in r#"([a-zA-Z0-9é#{}(), ]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\[a-z]|\\u[0-9]{2}){0,12}"#,
        ) {
            let text = format!(r#"{{ a(b: "{raw}") }}"#);
            match (filled(&text), parse(&text)) {
                (Some(document), Ok(whole)) => prop_assert_eq!(content(&document), content(&whole)),
                (None, Err(_)) => {}
                (filled, whole) => prop_assert!(false, "{text}: {filled:?}, {whole:?}"),
            }
        }

        #[test]
        fn places_are_those_of_the_original(strings in proptest::collection::vec("[a-zé ]{0,30}", 1..14)) {
            let fields = strings.iter().enumerate().map(|(number, string)| {
                let end = if number % 3 == 0 { "\n" } else { " " };
                format!("é{number}: f(a: {string:?}) {{ b(c: {string:?}) }}{end}").replace('é', "e")
            });
            let text = format!("{{ {} }}", fields.collect::<String>());
            let whole = parse(&text).expect("it parses");
            let shape = Shape::of(&text, &scan(&text).expect("it is in bounds")).expect("it has a shape");
            let places = |document: &ExecutableDocument| {
                let (_, operation) = document.operations.iter().next().expect("an operation");
                let fields = operation.node.selection_set.node.items.iter();
                fields.flat_map(|field| match &field.node {
                    Selection::Field(field) => {
                        vec![field.pos, field.node.arguments[0].1.pos, field.node.selection_set.node.items[0].pos]
                    }
                    other => panic!("{other:?} is no field"),
                }).collect::<Vec<_>>()
            };
            let mut found = places(&parse(&shape.text).expect("it parses"));
            shape.to_original(&mut found);
            prop_assert_eq!(found, places(&whole));
        }
    }
}
