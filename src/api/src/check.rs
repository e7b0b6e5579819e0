//! What is asked of the fields and arguments of an operation before the library validates it: what is wrong is said
//! in our words, with the field's name where it is a value.
//!
//! Only names of the schema are repeated, and in a query the misspelt name of one of its fields: in a mutation even
//! what looks like a name may be a secret that slipped out of its quotes. What is left to the library's validation is
//! answered by [`crate::errors::invalid`] without its words.

use crate::{
    document::Refused,
    schema::{TYPES, inputs::must_be},
};
use async_graphql::{
    Name, Pos, Positioned, Variables,
    parser::types::{
        ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
        VariableDefinition,
    },
    registry::{MetaInputValue, MetaType, MetaTypeName},
};
use async_graphql_value::{ConstValue, Value};
use std::collections::HashSet;

/// A longer name is no misspelt one.
const MAX_TYPED_NAME: usize = 64;

/// # Errors
/// The first thing that is wrong.
pub fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), Refused> {
    let root = match operation.ty {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => return Err(Refused::new("There are no subscriptions.", None)),
    };
    let mut check = Check { document, operation, variables, followed: HashSet::new() };
    check.selections(root, &operation.selection_set.node)?;
    // Those that are not the value of any argument.
    match operation.variable_definitions.iter().find(|definition| check.lacks_value(&definition.node)) {
        Some(definition) => Err(Refused::new("A variable that must have a value has none.", definition.pos)),
        None => Ok(()),
    }
}

struct Check<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    /// Fragments; one that is spread again has nothing new in it.
    followed: HashSet<&'a str>,
}

impl<'a> Check<'a> {
    fn selections(&mut self, parent: &str, set: &'a SelectionSet) -> Result<(), Refused> {
        // Types that are not there are for the library to find.
        let Some(parent) = TYPES.types.get(parent) else { return Ok(()) };
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.field(parent, &field.node)?,
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let parent = condition.map_or(parent.name(), |on| &on.node.on.node);
                    self.selections(parent, &fragment.node.selection_set.node)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.followed.insert(name)
                    {
                        let parent = &fragment.node.type_condition.node.on.node;
                        self.selections(parent, &fragment.node.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, parent: &MetaType, field: &'a Field) -> Result<(), Refused> {
        let Positioned { pos: at, node: name } = &field.name;
        // What the schema says of itself is the library's.
        if name.starts_with("__") {
            return Ok(());
        }
        let known = parent.field_by_name(name).ok_or_else(|| self.unknown_field(parent, name, *at))?;
        for (argument, value) in &field.arguments {
            let argument = known.args.get(argument.node.as_str()).ok_or_else(|| {
                Refused::new(format!("{} has no argument of that name.", known.name), argument.pos)
            })?;
            self.value(argument, &value.node)
                .map_err(|refused| Refused { at: Some(value.pos), ..refused })?;
        }
        let is_missing = |argument: &&MetaInputValue| {
            is_required(argument) && field.get_argument(&argument.name).is_none()
        };
        if let Some(missing) = known.args.values().find(is_missing) {
            return Err(Refused { at: Some(*at), ..Refused::of_field(&missing.name, "is missing") });
        }
        let answers = MetaTypeName::concrete_typename(&known.ty);
        let has_fields = TYPES.types.get(answers).is_some_and(MetaType::is_composite);
        let set = &field.selection_set.node;
        match (has_fields, set.items.is_empty()) {
            (true, true) => {
                Err(Refused::new(format!("{} needs a selection of its fields.", known.name), *at))
            }
            (false, false) => Err(Refused::new(format!("{} has no fields to select.", known.name), *at)),
            (true, false) => self.selections(answers, set),
            (false, true) => Ok(()),
        }
    }

    fn unknown_field(&self, parent: &MetaType, name: &str, at: Pos) -> Refused {
        let is_misspelt = self.operation.ty == OperationType::Query
            && parent.name() == "Query"
            && name.len() <= MAX_TYPED_NAME;
        let said = if is_misspelt { format!("named {name}") } else { "of that name".to_owned() };
        Refused::new(format!("{} has no field {said}.", parent.name()), at)
    }

    /// Whether there is a value to the very end: the library does not look at arguments with variables that have none,
    /// and execution says what is wrong.
    fn value(&self, place: &MetaInputValue, value: &Value) -> Result<bool, Refused> {
        let MetaInputValue { name: field, ty, .. } = place;
        let type_name = ty.trim_end_matches('!');
        if let Some(items) = type_name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'))
            && !matches!(value, Value::Variable(_) | Value::Null)
        {
            return self.list(&MetaInputValue { ty: items.to_owned(), ..place.clone() }, value);
        }
        match (TYPES.types.get(type_name), value) {
            (_, Value::Variable(name)) => return self.variable(place, name),
            (_, Value::Null) if ty.ends_with('!') => {
                return Err(Refused::of_field(field, "must not be null"));
            }
            (_, Value::Null) => {}
            (Some(MetaType::InputObject { input_fields, .. }), Value::Object(given)) => {
                if given.keys().any(|key| !input_fields.contains_key(key.as_str())) {
                    return Err(Refused::of_field(field, "has a field that is not known"));
                }
                for place in input_fields.values() {
                    match given.get(place.name.as_str()) {
                        Some(value) if !self.value(place, value)? => return Ok(false),
                        None if is_required(place) => {
                            return Err(Refused::of_field(&place.name, "is missing"));
                        }
                        _ => {}
                    }
                }
            }
            (Some(MetaType::InputObject { .. }), _) => {
                return Err(Refused::of_field(field, must_be(type_name)));
            }
            (Some(MetaType::Enum { enum_values, .. }), value) => {
                // Variables carry the names as strings.
                let is_known = match value {
                    Value::Enum(name) => enum_values.contains_key(name.as_str()),
                    Value::String(name) => enum_values.contains_key(name.as_str()),
                    _ => false,
                };
                if !is_known {
                    let names: Vec<_> = enum_values.keys().map(String::as_str).collect();
                    let message = format!("must be one of {}", names.join(", "));
                    return Err(Refused::of_field(field, message));
                }
            }
            (Some(MetaType::Scalar { is_valid: Some(is_valid), .. }), value)
                if !value.clone().into_const().is_some_and(|value| is_valid(&value)) =>
            {
                return Err(Refused::of_field(field, must_be(type_name)));
            }
            _ => {}
        }
        Ok(true)
    }

    /// One value stands for a list of one.
    fn list(&self, item: &MetaInputValue, value: &Value) -> Result<bool, Refused> {
        let values = match value {
            Value::List(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            if !self.value(item, value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn variable(&self, place: &MetaInputValue, name: &Name) -> Result<bool, Refused> {
        let field = &place.name;
        let expected = MetaTypeName::concrete_typename(&place.ty);
        let mut definitions = self.operation.variable_definitions.iter().map(|definition| &definition.node);
        let Some(definition) = definitions.find(|definition| definition.name.node == *name) else {
            return Err(Refused::of_field(field, "is given by a variable that is not declared"));
        };
        if self.lacks_value(definition) {
            let name = if name == field { name } else { "…" };
            let message = format!("The variable ${name} must have a value.");
            return Err(Refused { field: Some(field.clone()), message, at: None });
        }
        if MetaTypeName::concrete_typename(&definition.var_type.node.to_string()) != expected {
            let message =
                format!("is given by a variable that is declared otherwise: it {}", must_be(expected));
            return Err(Refused::of_field(field, message));
        }
        match self.value_of(definition) {
            Some(value) => self.value(place, &value.clone().into_value()),
            None => Ok(false),
        }
    }

    fn value_of<'v>(&'v self, definition: &'v VariableDefinition) -> Option<&'v ConstValue> {
        let default = definition.default_value.as_ref().map(|value| &value.node);
        self.variables.get(&definition.name.node).or(default)
    }

    /// Whether it must have a value and has none.
    fn lacks_value(&self, definition: &VariableDefinition) -> bool {
        !definition.var_type.node.nullable
            && matches!(self.value_of(definition), None | Some(ConstValue::Null))
    }
}

fn is_required(place: &MetaInputValue) -> bool {
    place.ty.ends_with('!') && place.default_value.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    const SAVE: &str = "saveIPackInstanceOauthConnectorDetails";

    /// What is said first, and of which field.
    fn said(text: &str, variables: &str) -> Option<(Option<String>, String)> {
        let document = document::parse(text).unwrap_or_else(|refused| panic!("{text}: {refused:?}"));
        let operation = document::operation(&document, None).expect("one operation");
        let variables = serde_json::from_str(variables).expect("JSON");
        let refused = check(&document, operation, &variables).err()?;
        Some((refused.field, refused.message))
    }

    #[test]
    fn only_the_schemas_names_are_repeated() {
        let too_long = format!("{{ {} }}", "a".repeat(65));
        let without = format!("mutation {{ {SAVE} {{ id }} }}");
        let unknown_key = format!(
            "mutation ($input: SaveIPackInstanceOauthConnectorDetailsInput!) {{ {SAVE}(input: $input) {{ id }} }}"
        );
        let with = |arguments: &str| format!("mutation ($a: Int) {{ {SAVE}({arguments}) {{ id }} }}");
        for (text, variables, field, expected) in [
            ("{ enviroments { id } }", "{}", None, "Query has no field named enviroments."),
            (
                "{ ...f } fragment f on Query { enviroments }",
                "{}",
                None,
                "Query has no field named enviroments.",
            ),
            (&too_long, "{}", None, "Query has no field of that name."),
            ("{ environments { SECRET } }", "{}", None, "Environment has no field of that name."),
            ("mutation { SECRET }", "{}", None, "Mutation has no field of that name."),
            ("mutation { ... on Query { SECRET } }", "{}", None, "Query has no field of that name."),
            ("{ environments(SECRET: 1) { id } }", "{}", None, "environments has no argument of that name."),
            ("{ environments }", "{}", None, "environments needs a selection of its fields."),
            ("{ environments { id { SECRET } } }", "{}", None, "id has no fields to select."),
            ("{ environments(first: \"SECRET\") { id } }", "{}", Some("first"), "first must be an Int."),
            ("{ environments(first: SECRET) { id } }", "{}", Some("first"), "first must be an Int."),
            ("{ environments(first: [$SECRET]) { id } }", "{}", Some("first"), "first must be an Int."),
            (
                "query ($SECRET: Int!) { environments(first: $SECRET) { id } }",
                "{}",
                Some("first"),
                "The variable $… must have a value.",
            ),
            (
                "query ($first: Int!) { environments(first: $first) { id } }",
                "{\"first\": null}",
                Some("first"),
                "The variable $first must have a value.",
            ),
            (
                "query ($SECRET: Boolean!) { __typename @skip(if: $SECRET) }",
                "{}",
                None,
                "A variable that must have a value has none.",
            ),
            (&without, "{}", Some("input"), "input is missing."),
            (&with("input: null"), "{}", Some("input"), "input must not be null."),
            (
                &with("input: SECRET"),
                "{}",
                Some("input"),
                "input must be a SaveIPackInstanceOauthConnectorDetailsInput.",
            ),
            (
                &with("input: {SECRET: \"SECRET\"}"),
                "{}",
                Some("input"),
                "input has a field that is not known.",
            ),
            (
                &unknown_key,
                r#"{"input": {"a\" SECRET": 1}}"#,
                Some("input"),
                "input has a field that is not known.",
            ),
            (&with("input: {clientId: SECRET}"), "{}", Some("clientId"), "clientId must be a String."),
            (
                &with("input: {clientId: $SECRET}"),
                "{}",
                Some("clientId"),
                "clientId is given by a variable that is not declared.",
            ),
            (
                &with("input: {clientId: $a}"),
                "{\"a\": 1}",
                Some("clientId"),
                "clientId is given by a variable that is declared otherwise: it must be a String.",
            ),
            ("subscription { SECRET }", "{}", None, "There are no subscriptions."),
        ] {
            let (said_field, said) = said(text, variables).unwrap_or_else(|| panic!("{text} is refused"));
            assert_eq!((said_field.as_deref(), said.as_str()), (field, expected), "{text}");
        }
    }

    #[test]
    fn what_can_be_executed_is_not_refused() {
        for (text, variables) in [
            ("{ __typename __schema { types { name } } }", "{}"),
            (
                "query ($first: Int, $after: ID = 1) { environments(first: $first, after: $after) { id } }",
                "{}",
            ),
            ("query ($first: Int! = 5) { environments(first: $first) { id } }", "{}"),
            (
                "{ ...f ... { ... on Query { environments { name } } } } fragment f on Query { environments { id } }",
                "{}",
            ),
            ("mutation ($id: ID!) { integrationPackInstanceUninstall(id: $id) }", "{\"id\": 5}"),
        ] {
            assert_eq!(said(text, variables), None, "{text}");
        }
    }
}
