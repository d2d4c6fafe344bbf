//! Regular expressions of flows.

use regex_automata::meta::{BuildError, Regex};
use regex_automata::util::captures::Captures;

/// What a compiled expression may take of memory, in bytes, so that none is built that takes seconds.
const SIZE: usize = 1 << 20;

/// A regular expression whose time is linear in the text.
///
/// It searches without a DFA. The states of one are built by the first match after each start and on each thread, which takes
/// longer than all the rest of a press, and a message is short. The crate `regex` only limits the size of its DFAs: where
/// that of one direction is within the limit and that of the other is not, a search panics.
#[derive(Debug, Clone)]
pub struct FlowRegex {
    text: String,
    compiled: Regex,
}

/// A text that is no regular expression, or too large a one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.syntax_error().map_or_else(|| .0.to_string(), ToString::to_string))]
pub struct InvalidFlowRegex(Box<BuildError>);

impl FlowRegex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// It has look-around or back-references, is written wrong, or takes more than a mebibyte.
    pub fn new(text: &str) -> Result<Self, InvalidFlowRegex> {
        let config = Regex::config().nfa_size_limit(Some(SIZE)).hybrid(false).dfa(false);
        let compiled = Regex::builder().configure(config).build(text);
        let compiled = compiled.map_err(|error| InvalidFlowRegex(Box::new(error)))?;
        Ok(Self { text: text.to_owned(), compiled })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.compiled.is_match(text)
    }

    /// The names of its groups.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.compiled.group_info().all_names().filter_map(|(_, _, name)| name)
    }

    /// What its named groups find in a text that fits, of each group that takes part.
    pub fn named<'t>(&self, text: &'t str) -> Option<Vec<(&str, &'t str)>> {
        // Most texts fit no flow: room for groups is made for one that does.
        if !self.is_match(text) {
            return None;
        }
        let mut found: Captures = self.compiled.create_captures();
        self.compiled.captures(text, &mut found);
        let value = |name| Some((name, text.get(found.get_group_by_name(name)?.range())?));
        Some(self.names().filter_map(value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_needs_no_dfa_of_its_other_direction() {
        let regex = FlowRegex::new("[^}]}w*").expect("an expression");
        assert_eq!(regex.named("a}ww"), Some(Vec::new()));
        assert_eq!(regex.named("}"), None);
    }

    #[test]
    fn named_groups_that_take_part_are_found() {
        let regex = FlowRegex::new(r"(?P<from>\w+) (?:at (?P<time>\d+)|now)").expect("an expression");
        assert_eq!(regex.names().collect::<Vec<_>>(), ["from", "time"]);
        assert_eq!(regex.named("Тверь at 7"), Some(vec![("from", "Тверь"), ("time", "7")]));
        assert_eq!(regex.named("Тверь now"), Some(vec![("from", "Тверь")]));
    }

    #[test]
    fn a_refusal_says_what_is_wrong() {
        let refusal = FlowRegex::new("a(").expect_err("refused").to_string();
        assert!(refusal.contains("unclosed group"), "{refusal}");
    }
}
