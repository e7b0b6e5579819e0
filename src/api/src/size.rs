//! What a parsed document unfolds into, each fragment counted wherever it is spread: what is too large is refused
//! here, each time with the limit that it is over.
//!
//! A fragment is weighed once and its weight added for each spread, so the time grows with the text and not with what
//! it unfolds into.

use crate::{document::Refused, schema::TYPES};
use async_graphql::{
    Name, Pos, Positioned, Variables,
    parser::types::{
        Directive, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
    },
    registry::MetaType,
};
use async_graphql_value::{ConstValue, Value};
use ipack_core::catalogue::page::MAX_PAGE;
use std::{collections::HashMap, sync::LazyLock};

/// The standard introspection query of graphql-js is 15 fields deep.
pub const MAX_DEPTH: usize = 15;
pub const MAX_COMPLEXITY: usize = 1_000;
pub const MAX_ALIASES: usize = 30;
pub const MAX_DIRECTIVES: usize = 30;
/// Selection sets in one another, those of fragments included.
pub const MAX_RECURSION: usize = 32;
/// Fields, spreads, inline fragments, directives, arguments and values.
pub const MAX_PARTS: usize = 10_000;
/// Fields of the answer, as far as the query tells: those in a list once for each of its items ([`LISTS`]).
pub const MAX_ANSWER: usize = 100_000;
/// Validation looks each use of a variable up among all of them.
pub const MAX_VARIABLES: usize = 500;
/// Validation and execution copy an argument's text, and that of a variable for each of its uses: so much of it counts
/// as one part.
const TEXT_OF_A_PART: usize = 4_096;

/// The lists in what the schema says of itself. Introspection goes in circles, so a few lists in one another are the
/// whole schema many times over.
const INTROSPECTION_LISTS: [&str; 8] =
    ["types", "directives", "fields", "args", "inputFields", "enumValues", "interfaces", "possibleTypes"];
/// So many items a list is counted as that cannot be asked for in pages.
const ITEMS: usize = 10;

/// The fields that answer lists, with how many items they are counted as: where they are paged, a page's most.
static LISTS: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| {
    let mut lists = HashMap::from(INTROSPECTION_LISTS.map(|name| (name, ITEMS)));
    for (name, field) in TYPES.types.values().filter_map(MetaType::fields).flatten() {
        if field.ty.starts_with('[') {
            let items = if field.args.contains_key("first") { MAX_PAGE as usize } else { ITEMS };
            let known = lists.entry(name).or_default();
            *known = items.max(*known);
        }
    }
    lists
});

/// What a selection set unfolds into.
#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    parts: usize,
    fields: usize,
    answer: usize,
    aliases: usize,
    directives: usize,
    depth: usize,
    recursion: usize,
}

impl Weight {
    /// Beside one another.
    fn add(&mut self, other: Self) {
        self.parts = self.parts.saturating_add(other.parts);
        self.fields = self.fields.saturating_add(other.fields);
        self.answer = self.answer.saturating_add(other.answer);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.depth = self.depth.max(other.depth);
        self.recursion = self.recursion.max(other.recursion);
    }
}

struct Scale<'a> {
    document: &'a ExecutableDocument,
    /// The sizes of what the variables stand for.
    variables: HashMap<&'a str, usize>,
    /// `None` while a fragment is being weighed.
    weighed: HashMap<&'a str, Option<Weight>>,
    /// Selections, directives, arguments and values that were looked at.
    visited: usize,
}

impl<'a> Scale<'a> {
    fn new(document: &'a ExecutableDocument, given: &'a Variables) -> Self {
        let mut variables: HashMap<&str, usize> =
            given.iter().map(|(name, value)| (name.as_str(), size_of_constant(value))).collect();
        for (_, operation) in document.operations.iter() {
            for variable in &operation.node.variable_definitions {
                if let Some(default) = &variable.node.default_value {
                    let known = variables.entry(&variable.node.name.node).or_default();
                    *known = size_of_constant(&default.node).max(*known);
                }
            }
        }
        Self { document, variables, weighed: HashMap::new(), visited: 0 }
    }

    fn document(&mut self) -> Result<Weight, Refused> {
        let document = self.document;
        let mut sum = Weight::default();
        for (_, operation) in document.operations.iter() {
            sum.add(self.operation(&operation.node)?);
        }
        // Those that no operation uses are walked by validation too.
        for (name, fragment) in &document.fragments {
            if !self.weighed.contains_key(name.as_str()) {
                sum.add(self.fragment(name, fragment, 0)?);
            }
        }
        Ok(sum)
    }

    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Weight, Refused> {
        let mut weight = self.set(&operation.selection_set, 0)?;
        self.directives(&operation.directives, &mut weight);
        for variable in &operation.variable_definitions {
            self.directives(&variable.node.directives, &mut weight);
            let default = variable.node.default_value.as_ref().map(|value| size_of_constant(&value.node));
            weight.parts = weight.parts.saturating_add(default.unwrap_or_default() + 1);
        }
        Ok(weight)
    }

    fn set(&mut self, set: &'a Positioned<SelectionSet>, level: usize) -> Result<Weight, Refused> {
        if set.node.items.is_empty() {
            return Ok(Weight::default());
        }
        if level > MAX_RECURSION {
            return Err(too_recursive(set.pos));
        }
        let mut sum = Weight::default();
        for item in &set.node.items {
            self.visited += 1;
            let mut weight = match &item.node {
                Selection::Field(field) => {
                    let mut weight = self.set(&field.node.selection_set, level + 1)?;
                    weight.fields = weight.fields.saturating_add(1);
                    let items = LISTS.get(field.node.name.node.as_str()).copied().unwrap_or(1);
                    weight.answer = weight.answer.saturating_mul(items).saturating_add(1);
                    weight.aliases = weight.aliases.saturating_add(usize::from(field.node.alias.is_some()));
                    weight.depth += 1;
                    self.arguments(&field.node.arguments, &mut weight);
                    weight
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set, level + 1)?,
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name;
                    let Some((key, fragment)) = self.document.fragments.get_key_value(&name.node) else {
                        return Err(Refused::new(
                            "A fragment is spread that the query does not have.",
                            name.pos,
                        ));
                    };
                    match self.weighed.get(key.as_str()) {
                        Some(Some(weight)) => *weight,
                        Some(None) => return Err(Refused::new("A fragment contains itself.", name.pos)),
                        None => self.fragment(key, fragment, level + 1)?,
                    }
                }
            };
            weight.parts = weight.parts.saturating_add(1);
            self.directives(item.node.directives(), &mut weight);
            sum.add(weight);
        }
        sum.recursion += 1;
        Ok(sum)
    }

    fn fragment(
        &mut self,
        name: &'a Name,
        fragment: &'a Positioned<FragmentDefinition>,
        level: usize,
    ) -> Result<Weight, Refused> {
        self.weighed.insert(name, None);
        let mut weight = self.set(&fragment.node.selection_set, level)?;
        self.directives(&fragment.node.directives, &mut weight);
        self.weighed.insert(name, Some(weight));
        Ok(weight)
    }

    fn directives(&mut self, directives: &[Positioned<Directive>], weight: &mut Weight) {
        self.visited += directives.len();
        weight.directives = weight.directives.saturating_add(directives.len());
        weight.parts = weight.parts.saturating_add(directives.len());
        for directive in directives {
            self.arguments(&directive.node.arguments, weight);
        }
    }

    fn arguments(&mut self, arguments: &[(Positioned<Name>, Positioned<Value>)], weight: &mut Weight) {
        for (_, value) in arguments {
            self.visited += 1;
            weight.parts = weight.parts.saturating_add(1).saturating_add(self.value(&value.node));
        }
    }

    /// One for itself and each value in it, a variable as what it stands for.
    fn value(&mut self, value: &Value) -> usize {
        self.visited += 1;
        match value {
            Value::Variable(name) => self.variables.get(name.as_str()).copied().unwrap_or(1),
            Value::String(text) => size_of_text(text),
            Value::List(values) => self.values(values),
            Value::Object(fields) => self.values(fields.values()),
            _ => 1,
        }
    }

    fn values<'v>(&mut self, values: impl IntoIterator<Item = &'v Value>) -> usize {
        values.into_iter().fold(1, |sum: usize, value| sum.saturating_add(self.value(value)))
    }
}

/// As [`Scale::value`]. The keys of JSON can be as long as its strings.
fn size_of_constant(value: &ConstValue) -> usize {
    match value {
        ConstValue::String(text) => size_of_text(text),
        ConstValue::List(values) => values.iter().map(size_of_constant).sum::<usize>() + 1,
        ConstValue::Object(fields) => {
            let of_field =
                |(key, value): (&Name, &ConstValue)| size_of_text(key) - 1 + size_of_constant(value);
            fields.iter().map(of_field).sum::<usize>() + 1
        }
        _ => 1,
    }
}

fn size_of_text(text: &str) -> usize {
    1 + text.len() / TEXT_OF_A_PART
}

fn too_recursive(at: impl Into<Option<Pos>>) -> Refused {
    Refused::new(
        format!("The query has more than {MAX_RECURSION} selections in one another, fragments included."),
        at,
    )
}

/// Whether the document, asked with these variables, is small enough to be walked.
pub fn measure(document: &ExecutableDocument, variables: &Variables) -> Result<(), Refused> {
    let weight = Scale::new(document, variables).document()?;
    if weight.recursion > MAX_RECURSION + 1 {
        return Err(too_recursive(None));
    }
    let definitions =
        document.operations.iter().map(|(_, operation)| operation.node.variable_definitions.len());
    for (what, weight, limit) in [
        ("is nested too deeply: fields in one another", weight.depth, MAX_DEPTH),
        ("is too complex: fields, in fragments each time they are used", weight.fields, MAX_COMPLEXITY),
        (
            "asks for too large an answer: fields, in lists for each item that there may be",
            weight.answer,
            MAX_ANSWER,
        ),
        ("has too many aliases", weight.aliases, MAX_ALIASES),
        ("has too many directives", weight.directives, MAX_DIRECTIVES),
        ("declares too many variables", definitions.sum(), MAX_VARIABLES),
        (
            "is too large: fields, fragments, arguments and values, each time they are used",
            weight.parts,
            MAX_PARTS,
        ),
    ] {
        if weight > limit {
            return Err(Refused::new(format!("The query {what}; {limit} are allowed."), None));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::parse;

    /// What the document weighs, and how many of its parts were looked at to find out.
    fn weighed(text: &str) -> (Weight, usize) {
        let document = parse(text).unwrap_or_else(|refused| panic!("{refused:?}"));
        let variables = Variables::default();
        let mut scale = Scale::new(&document, &variables);
        let weight = scale.document().unwrap_or_else(|refused| panic!("{refused:?}"));
        (weight, scale.visited)
    }

    /// Fragments in layers, each of which spreads the next one so many times.
    fn layers(count: usize, spreads: usize) -> String {
        let layer = |at: usize| {
            format!("fragment f{at} on Query {{ {} }}", format!("...f{} ", at + 1).repeat(spreads))
        };
        let layers: Vec<String> = (0..count).map(layer).collect();
        format!("{{ ...f0 }} {} fragment f{count} on Query {{ a }}", layers.join(" "))
    }

    #[test]
    fn each_part_counts_as_one() {
        for (text, parts) in [
            ("{ a }", 1),
            ("{ a b: c { d } }", 3),
            ("{ ... { a } }", 2),
            ("{ ...f ...f } fragment f on Query { a }", 4),
            ("{ a } fragment f on Query { a }", 2),
            ("{ a(b: 1) }", 3),
            ("{ a(b: [1, 2]) }", 5),
            ("{ a(b: {c: 1, d: [{}]}) }", 6),
            ("{ a @b(c: [1]) }", 5),
            ("query ($a: Int @b = 1) { a(b: $a) }", 6),
            ("query ($a: [Int] = [1, 2]) { a(b: $a) c(b: $a) }", 14),
            ("query A { a } mutation B { c }", 2),
        ] {
            assert_eq!(weighed(text).0.parts, parts, "{text}");
        }
        let long = "x".repeat(10 * TEXT_OF_A_PART);
        assert_eq!(weighed(&format!("{{ a(b: \"{long}\") }}")).0.parts, 2 + 11);
    }

    #[test]
    fn every_list_of_the_schema_is_counted_for_its_items() {
        let of = |name: &str| LISTS.get(name).copied();
        assert_eq!(of("integrationPackInstances"), Some(MAX_PAGE as usize));
        assert_eq!(of("environments"), Some(MAX_PAGE as usize));
        assert_eq!(of("integrationPackEnvironmentAttachment"), Some(ITEMS));
        assert_eq!((of("types"), of("id")), (Some(ITEMS), None));
        assert_eq!(weighed("{ environments { id name } }").0.answer, 1 + 2 * MAX_PAGE as usize);
    }

    #[test]
    fn the_work_grows_with_the_text_and_not_with_what_it_unfolds_into() {
        let nested = |count: usize| format!("{{ {}a{} }}", "... { ".repeat(count), " }".repeat(count));
        let shapes: [(&str, &dyn Fn(usize) -> String); 9] = [
            ("fragments in layers", &|size| layers(size, 4)),
            ("wide fragments", &|size| layers(3, 10 * size)),
            ("nested", &nested),
            ("fields", &|size| format!("{{ {} }}", "a ".repeat(100 * size))),
            ("aliases", &|size| format!("{{ {} }}", "a: b ".repeat(100 * size))),
            ("inline fragments", &|size| format!("{{ {} }}", "... { a } ".repeat(50 * size))),
            ("directives", &|size| format!("{{ a {} }}", "@b(c: 1) ".repeat(40 * size))),
            ("lists", &|size| format!("{{ a(b: [{}]) }}", "[1] ".repeat(50 * size))),
            ("objects", &|size| format!("{{ a(b: [{}]) }}", "{c: {d: 1}} ".repeat(20 * size))),
        ];
        for (name, shape) in shapes {
            let (_, once) = weighed(&shape(15));
            let (_, twice) = weighed(&shape(30));
            assert!(once > 0 && twice <= 3 * once, "{name}: {once}, then {twice}");
        }
        assert!(weighed(&layers(30, 4)).0.parts > 4usize.pow(30));
        assert_eq!(weighed(&layers(30, 100)).0.parts, usize::MAX);
    }
}
