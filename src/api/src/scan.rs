//! One pass over the bytes of a query, or of JSON, before anything parses them: the parsers call themselves for each
//! open bracket, and take longer for each token than this takes for all of them.
//!
//! Strings count as one token each, however long: a value of nearly the whole body is a fair thing to save.

use std::{
    fmt::{self, Display, Formatter},
    ops::Range,
};

/// Open brackets of any kind.
pub const MAX_BRACKETS: usize = 64;
/// Names, values and punctuation marks.
pub const MAX_TOKENS: usize = 10_000;
/// In bytes, and of a number too. Messages repeat names, so a long one would be multiplied by its uses.
pub const MAX_NAME: usize = 256;
/// Bytes that are not in strings, white space and comments among them.
pub const MAX_BARE: usize = 131_072;

/// What makes a text one that is not parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Brackets,
    Tokens,
    Name,
    Bare,
    /// The parser would read on in the middle of what looks like a string here, with brackets that were not counted.
    OpenString,
}

impl Display for Fault {
    /// What the text does, without a subject.
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Brackets => write!(out, "opens more than {MAX_BRACKETS} brackets in one another"),
            Self::Tokens => write!(out, "has more than {MAX_TOKENS} names, values and punctuation marks"),
            Self::Name => write!(out, "has a name or a number of more than {MAX_NAME} bytes"),
            Self::Bare => write!(out, "has more than {MAX_BARE} bytes outside of strings"),
            Self::OpenString => write!(out, "has a string that does not end"),
        }
    }
}

/// What stands where in a text.
#[derive(Debug)]
pub struct Scanned {
    /// The strings with their quotation marks, in bytes; block strings are not among them.
    pub strings: Vec<Range<usize>>,
    /// It has neither comments nor block strings.
    pub is_plain: bool,
}

/// JSON has to be well-formed: then it has neither block strings nor comments, and its strings are like GraphQL's.
pub fn scan(text: &str) -> Result<Scanned, Fault> {
    let bytes = text.as_bytes();
    let (mut at, mut open, mut tokens, mut in_strings) = (0, 0usize, 0usize, 0usize);
    let mut scanned = Scanned { strings: Vec::new(), is_plain: true };
    while let Some(byte) = bytes.get(at) {
        let start = at;
        at += 1;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {}
            b'#' => {
                at += run(&bytes[at..], |byte| !matches!(byte, b'\n' | b'\r'));
                scanned.is_plain = false;
            }
            b'"' => {
                let is_block = bytes[at..].starts_with(b"\"\"");
                let end =
                    if is_block { end_of_block_string(bytes, at + 2) } else { end_of_string(bytes, at) };
                at = end.ok_or(Fault::OpenString)?;
                if is_block {
                    scanned.is_plain = false;
                } else {
                    scanned.strings.push(start..at);
                }
                in_strings += at - start;
                tokens += 1;
            }
            b'{' | b'[' | b'(' => {
                open += 1;
                tokens += 1;
            }
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                tokens += 1;
            }
            _ if is_of_name(*byte) => {
                at += run(&bytes[at..], is_of_name);
                if at - start > MAX_NAME {
                    return Err(Fault::Name);
                }
                tokens += 1;
            }
            _ => {
                at += if bytes[start..].starts_with(b"...") { 2 } else { 0 };
                tokens += 1;
            }
        }
        let faults = [
            (open > MAX_BRACKETS, Fault::Brackets),
            (tokens > MAX_TOKENS, Fault::Tokens),
            (at - in_strings > MAX_BARE, Fault::Bare),
        ];
        if let Some((_, fault)) = faults.into_iter().find(|(is_over, _)| *is_over) {
            return Err(fault);
        }
    }
    Ok(scanned)
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| belongs(**byte)).count()
}

fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            b'\n' | b'\r' => return None,
            _ => at += 1,
        }
    }
    None
}

fn end_of_block_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    while at < bytes.len() {
        match &bytes[at..] {
            [b'\\', b'"', b'"', b'"', ..] => at += 4,
            [b'"', b'"', b'"', ..] => return Some(at + 3),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str) -> Result<(), Fault> {
        scan(text).map(drop)
    }

    #[test]
    fn each_bound_is_where_it_is_said_to_be() {
        let repeated = |part: &str, count: usize| part.repeat(count);
        for (part, most, fault) in [
            ("[", MAX_BRACKETS, Fault::Brackets),
            ("{", MAX_BRACKETS, Fault::Brackets),
            ("(", MAX_BRACKETS, Fault::Brackets),
            ("[]", MAX_TOKENS / 2, Fault::Tokens),
            ("a ", MAX_TOKENS, Fault::Tokens),
            ("1,", MAX_TOKENS, Fault::Tokens),
            ("@", MAX_TOKENS, Fault::Tokens),
            ("...", MAX_TOKENS, Fault::Tokens),
            ("...a\n", MAX_TOKENS / 2, Fault::Tokens),
            ("\"[[\" ", MAX_TOKENS, Fault::Tokens),
            ("\"\"\"[\"[\"\"\"", MAX_TOKENS, Fault::Tokens),
            ("\"\" ", MAX_TOKENS, Fault::Tokens),
            ("a", MAX_NAME, Fault::Name),
            ("1", MAX_NAME, Fault::Name),
            (" ", MAX_BARE, Fault::Bare),
            (",", MAX_BARE, Fault::Bare),
            ("\r\n", MAX_BARE / 2, Fault::Bare),
            ("#\n", MAX_BARE / 2, Fault::Bare),
        ] {
            assert_eq!(scanned(&repeated(part, most)), Ok(()), "{part}");
            assert_eq!(scanned(&repeated(part, most + 1)), Err(fault), "{part}");
        }
        assert_eq!(scanned(&format!("#{}\n{{ a }}", "\"[{\u{fc}".repeat(1_000))), Ok(()));
        assert_eq!(scanned(&format!("#{}", "[".repeat(MAX_BARE))), Err(Fault::Bare));
    }

    #[test]
    fn strings_end_where_the_parser_has_them_end() {
        let deep = "[".repeat(MAX_BRACKETS + 1);
        for (text, expected) in [
            (format!("\"{deep}\""), Ok(())),
            (format!("\"\\\"{deep}\""), Ok(())),
            (format!("\"\\\\\"{deep}"), Err(Fault::Brackets)),
            (format!("\"\"{deep}"), Err(Fault::Brackets)),
            (format!("\"\"\"\"\"\"{deep}"), Err(Fault::Brackets)),
            (format!("\"\"\"\\\"\"\"{deep}\"\"\""), Ok(())),
            (format!("\"\"\"\\\\\"\"\"{deep}\"\"\""), Ok(())),
            (format!("\"\"\"\n\"\"{deep}\"\"\""), Ok(())),
            (format!("# \"\r{deep}"), Err(Fault::Brackets)),
            // Read as an empty string, then as one that begins with the third quotation mark.
            (format!("\"\"\"[\"{deep}"), Err(Fault::OpenString)),
            (format!("\"{deep}"), Err(Fault::OpenString)),
            (format!("\"\n{deep}"), Err(Fault::OpenString)),
            ("\"\\".to_owned(), Err(Fault::OpenString)),
            ("\"\"\"\"\"".to_owned(), Err(Fault::OpenString)),
        ] {
            assert_eq!(scanned(&text), expected, "{}", &text[..text.len().min(12)]);
        }
    }

    #[test]
    fn json_is_scanned_alike() {
        let long = "x".repeat(1_000_000);
        assert_eq!(scanned(&format!(r#"{{"a":"{long}","b":"","c":[-1.5e3,true,null,"\\\"["]}}"#)), Ok(()));
        assert_eq!(scanned(&"{\"a\":".repeat(65)), Err(Fault::Brackets));
        assert_eq!(scanned(&format!("[{}1]", "1,".repeat(MAX_TOKENS))), Err(Fault::Tokens));
    }
}
